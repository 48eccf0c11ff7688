#include <algorithm>

#include "controller/program/engine.h"

// Which credential each gallery is asked with (decision 0030): from the documents, kept in the journal.
namespace galleryd {

Status Engine::declare_credentials() {
    if (credentials_ == nullptr) return {};
    const std::vector<const Gallery*> galleries = declared_.gallery_documents();
    const bool is_named = std::ranges::any_of(galleries, [](const Gallery* one) { return !one->credential.empty(); });
    if (!is_named && credentials_->empty()) return {};
    std::set<std::string> known;
    std::map<ResourceId, CredentialChoice> before;
    for (const auto& [name, scope] : scopes()) {
        known.insert(scope.gallery_id.key());
        const CredentialChoice* const choice = credentials_->find(scope.gallery_id);
        before.emplace(scope.gallery_id, choice == nullptr ? CredentialChoice{} : *choice);
    }
    const auto operations = journal_.operations();
    for (const OperationRecord& operation : operations.value_or(std::vector<OperationRecord>{})) {
        const std::string key = fold_case(operation.resource);
        known.insert(key);
        known.emplace(gallery_key_in(key));
    }
    // A gallery that only a source to come declares, or whose document went while nobody ran, keeps the one it had.
    if (!operations || !all_sources_read()) credentials_->add_known(known);
    if (credentials_->declare(galleries, known)) {
        credentials_unsaved_ = true;
        for (const auto& [gallery, had] : before) {
            const CredentialChoice* const has = credentials_->find(gallery);
            if (had != (has == nullptr ? CredentialChoice{} : *has)) hand_over(gallery, desk_named(had));
        }
    }
    if (!operations) return std::unexpected(operations.error());
    if (!credentials_unsaved_ || !options_.remember_documents || !journal_.writable()) return {};
    const Status saved = journal_.put_setting(gallery_credentials_setting, credentials_->save());
    credentials_unsaved_ = !saved;  // once more with the next look at documents
    return saved;
}

// What another identity saw unused is not seen unused by this one; and where it saw users of the gallery, this one has
// to be able to look, or nobody knows.
void Engine::hand_over(const ResourceId& gallery, const UsageDesk* before) {
    UsageBook& book = desk_of(gallery).book;
    book.end_waits_in(gallery);
    if (before != nullptr && &before->book != &book) book.expect_users_of(gallery, before->book);
}

const UsageDesk* Engine::desk_named(const CredentialChoice& choice) const {
    const auto found = usage_desks_.find(choice.problem.empty() ? choice.name : choice.problem);
    return found == usage_desks_.end() ? nullptr : &found->second;
}

// A document that is not there yet, or cannot be read, may be the one that says with which credential its gallery is
// asked: until that is known nobody asks, and least of all with another one.
std::optional<Error> Engine::unclear_credential(const Scope& scope) const {
    if (!options_.galleries_have_credentials || scope.gallery || api_.has_own_credential(scope.gallery_id)) return {};
    const auto may_hide_one = [](const AcceptedSnapshot& source) {
        return !source.readable || std::ranges::any_of(source.broken, [](const DocumentRecord& document) {
            return !document.key || document.key->kind == Kind::gallery;
        });
    };
    if (all_sources_read() && std::ranges::none_of(sources(), may_hide_one)) return {};
    return Error{.kind = ErrorKind::not_ready,
                 .reason = "DependencyNotReady",
                 .message = scope.name +
                            " is not looked at: its gallery has no document here, and not every document could be "
                            "read; one of those may name the gallery's credential. Correct them, or declare the "
                            "gallery (mode: Observe is enough)."};
}

std::string Engine::credential_of(const Scope& scope) const {
    if (credentials_ == nullptr) return {};
    const CredentialChoice* const choice = credentials_->find(scope.gallery_id);
    if (choice == nullptr) return {};
    return choice->name.empty() ? "of " + scope.gallery_id.name() : choice->name;
}

// A person has mended something, or taken it away: nobody waits for the slow retry of what was refused. It may be
// another identity by now, which has seen nothing unused yet.
std::set<std::string> Engine::scopes_of_changed_credentials() {
    std::set<std::string> names;
    const std::set<std::string> changed =
        credential_facts_.changed ? credential_facts_.changed() : std::set<std::string>{};
    if (changed.empty()) return names;
    for (const auto& [name, scope] : scopes()) {
        if (!changed.contains(credential_of(scope))) continue;
        names.insert(name);
        desk_of(scope.gallery_id).book.end_waits_in(scope.gallery_id);
    }
    return names;
}

bool Engine::needs_no_credential() const {
    return !scopes().empty() &&
           std::ranges::none_of(scopes(), [this](const auto& entry) { return is_in_inventory(entry.second); });
}

}  // namespace galleryd
