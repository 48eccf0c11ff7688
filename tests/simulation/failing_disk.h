#pragma once
#include <memory>
#include <optional>
#include <string>

#include "controller/ports/journal.h"

namespace galleryd {

// The state directory's disk: a journal of which one write fails, and from then on every write, until the next start
// (as SqliteJournal: a page cache that lost a write is never trusted again). What is read stays what was written.
class FailingDisk : public Journal {
  public:
    explicit FailingDisk(std::unique_ptr<Journal> inner) : inner_(std::move(inner)) {}

    // The N-th write from now fails (1: the next one). `is_written`: an error of fsync, the bytes are there all the
    // same (of documents never: whether a look counts has to be known to the guard).
    void fail_at(int write, bool is_written) {
        writes_left_ = write;
        is_written_ = is_written;
    }
    void start() { failed_ = false, writes_left_.reset(); }  // the next process, on a disk that works
    bool lost_documents = false;                             // a write of documents failed since somebody cleared it

    Result<std::int64_t> begin_intent(const Intent& intent) override;
    Status finish_intent(std::int64_t intent, const std::string& outcome, const std::string& correlation_id,
                         TimePoint at, const std::optional<OperationRecord>& operation) override;
    Status finish_operation(const std::string& resource, const std::string& outcome, TimePoint at) override;
    Status put_resource_record(const std::string& resource_key, const ResourceRecord& record) override;
    Status forget_resource(const std::string& resource_key) override;
    Status update_good_documents(const std::string& source, const std::vector<GoodDocument>& put,
                                 const std::vector<ObjectKey>& gone) override;
    Status put_event(const EventRecord& event) override;
    Status put_approval(const std::string& digest, const std::string& by, TimePoint expires) override;
    Status put_setting(const std::string& key, const std::string& value) override;
    bool writable() const override { return !failed_ && inner_->writable(); }

    Result<std::vector<AuditRecord>> open_intents() override { return inner_->open_intents(); }
    Result<std::vector<AuditRecord>> audit(int limit) override { return inner_->audit(limit); }
    Result<std::vector<OperationRecord>> operations() override { return inner_->operations(); }
    Result<std::map<std::string, ResourceRecord>> resource_records() override { return inner_->resource_records(); }
    Result<std::vector<GoodDocument>> good_documents(Content content) override {
        return inner_->good_documents(content);
    }
    Result<std::vector<EventRecord>> events(std::int64_t after_sequence, int limit) override {
        return inner_->events(after_sequence, limit);
    }
    Result<std::map<std::string, TimePoint>> approvals() override { return inner_->approvals(); }
    Result<int> deletes_since(const std::string& subscription, TimePoint since) override {
        return inner_->deletes_since(subscription, since);
    }
    Result<std::string> setting(const std::string& key) override { return inner_->setting(key); }

  private:
    template <class Write>
    auto write(Write write, bool may_land = true) -> decltype(write());

    std::unique_ptr<Journal> inner_;
    std::optional<int> writes_left_;
    bool is_written_ = false, failed_ = false;
};

}  // namespace galleryd
