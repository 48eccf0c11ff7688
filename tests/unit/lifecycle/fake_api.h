#pragma once
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "controller/ports/gallery_api.h"

namespace galleryd {

// An Azure that answers what a test put there and notes every write. Reads find nothing unless told otherwise.
class FakeApi : public GalleryApi {
  public:
    std::map<std::string, ObservedVersion> versions;  // by key
    std::map<std::string, ObservedDefinition> definitions;
    std::map<std::string, ObservedGallery> galleries;
    std::optional<Error> read_error;
    std::deque<Result<WriteOutcome>> answers;                     // of writes, in order; then 200
    std::deque<Result<OperationStatus>> operation_states;         // of polls, in order; then in_progress
    std::vector<std::string> writes;                              // "put version ID"
    std::function<OperationStatus(const OperationRef&)> on_poll;  // when there is no state left
    int polls = 0;
    std::function<void()> before_write;

    Task<std::optional<ObservedResourceGroup>> get_resource_group(std::string, std::string) override {
        co_return std::nullopt;
    }
    Task<std::optional<ObservedGallery>> get_gallery(ResourceId id) override { co_return find(galleries, id); }
    Task<std::vector<ObservedDefinition>> list_definitions(ResourceId) override {
        co_return std::vector<ObservedDefinition>{};
    }
    Task<std::optional<ObservedDefinition>> get_definition(ResourceId id) override { co_return find(definitions, id); }
    Task<std::vector<ObservedVersion>> list_versions(ResourceId) override { co_return std::vector<ObservedVersion>{}; }
    Task<std::optional<ObservedVersion>> get_version(ResourceId id, bool) override { co_return find(versions, id); }
    Task<std::vector<ObservedRoleAssignment>> list_role_assignments(ResourceId) override {
        co_return std::vector<ObservedRoleAssignment>{};
    }
    Task<std::optional<ObservedStorageAccount>> get_storage_account(ResourceId) override { co_return std::nullopt; }

    Task<WriteOutcome> put_resource_group(EnsureResourceGroup step) override {
        co_return note("put group " + step.name);
    }
    Task<WriteOutcome> put_gallery(ResourceId id, GalleryWrite, std::optional<ObservedGallery>) override {
        co_return note("put gallery " + id.name());
    }
    Task<WriteOutcome> put_definition(ResourceId id, DefinitionWrite, std::optional<ObservedDefinition>) override {
        co_return note("put definition " + id.name());
    }
    Task<WriteOutcome> put_version(ResourceId id, VersionWrite, std::optional<ObservedVersion>) override {
        co_return note("put version " + id.name());
    }
    Task<WriteOutcome> share_gallery(ResourceId id, ShareGallery) override { co_return note("share " + id.name()); }
    Task<WriteOutcome> put_role_assignment(AssignRole step) override {
        co_return note("assign " + step.assignment_name);
    }
    Task<WriteOutcome> delete_role_assignment(ResourceId id) override { co_return note("unassign " + id.name()); }
    Task<WriteOutcome> put_storage_account(EnsureStorage step) override {
        co_return note("storage " + step.account.name());
    }
    Task<WriteOutcome> delete_resource(ResourceId id) override { co_return note("delete " + id.name()); }
    Task<OperationStatus> poll_operation(OperationRef operation) override {
        ++polls;
        if (operation_states.empty()) co_return on_poll ? on_poll(operation) : OperationStatus{};
        Result<OperationStatus> next = std::move(operation_states.front());
        operation_states.pop_front();
        co_return next;
    }

  private:
    template <class Object>
    Result<std::optional<Object>> find(const std::map<std::string, Object>& objects, const ResourceId& id) const {
        if (read_error) return std::unexpected(*read_error);
        const auto found = objects.find(id.key());
        return found == objects.end() ? std::optional<Object>() : std::optional<Object>(found->second);
    }
    Result<WriteOutcome> note(std::string text) {
        if (before_write) before_write();
        writes.push_back(std::move(text));
        if (answers.empty())
            return WriteOutcome{
                .http_status = 200, .operation = std::nullopt, .correlation_id = "c-1", .server_date = std::nullopt};
        Result<WriteOutcome> next = std::move(answers.front());
        answers.pop_front();
        return next;
    }
};

}  // namespace galleryd
