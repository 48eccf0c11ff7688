#include "tests/simulation/guard.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "controller/adapters/documents/reader.h"
#include "tests/simulation/guard_facts.h"
#include "tests/simulation/world.h"

namespace galleryd {
namespace {

using Json = nlohmann::json;

template <class Objects, class Missing>
void find_missing(const Objects& before, const Objects& now, const std::set<ObjectKey>& invalid,
                  std::map<ObjectKey, Missing>& missing, TimePoint at) {
    for (const auto& [key, object] : before) {
        if (now.contains(key) || invalid.contains(key)) continue;
        Missing& entry = missing[key];
        entry.since = at;
        if constexpr (requires { object.governance; }) entry.governance = object.governance;
        if constexpr (std::is_same_v<std::decay_t<decltype(object)>, ImageVersion>) entry.version = object;
        entry.hold = object.meta.hold;
    }
}

bool contains(const DesiredObjects& objects, const ObjectKey& key) {
    return objects.galleries.contains(key) || objects.definitions.contains(key) || objects.versions.contains(key) ||
           objects.policies.contains(key);
}

std::size_t count(const DesiredObjects& objects) {
    return objects.galleries.size() + objects.definitions.size() + objects.versions.size() + objects.policies.size();
}

template <class Object>
void keep_last_good(std::map<ObjectKey, Object>& now, const std::map<ObjectKey, Object>& before,
                    const std::set<ObjectKey>& invalid, bool all) {
    for (const auto& [key, object] : before) {
        if (all || invalid.contains(key)) now.emplace(key, object);
    }
}

}  // namespace

Guard::Wire::Wire(Guard& guard, const http::Request& request) : guard_(guard) {
    if (!is_write(request)) return;
    key_ = fold_case(path_of(request));
    if (!guard_.world_.ground->on_wire.insert(key_).second) {
        guard_.wrong("I4: two requests that change " + key_ + " are on the wire");
        key_.clear();
    }
    guard_.judge(request);
}

Guard::Wire::~Wire() { guard_.world_.ground->on_wire.erase(key_); }

void Guard::wrong(const std::string& what) {
    ++problems;
    if (collects) return verdicts.push_back(what);
    FAIL_CHECK("wrong write: " << what << " " << context);
}

void Guard::memory_lost() {
    declared_ = {}, missing_ = {};
    recorded_.clear();
    approved_.clear();
    shown_since_.clear();
    memory_since_ = world_.clock.now();
}

void Guard::looked(const ReadResult& read) {
    invalid_.clear();
    unknown_content_ = false;
    for (const DocumentRecord& record : read.documents) {
        if (record.state == DocumentState::present) continue;
        if (record.key) {
            invalid_.insert(*record.key);
        } else {
            unknown_content_ = true;
        }
    }
    std::map<ObjectKey, Missing> gone;
    const TimePoint now = world_.clock.now();
    find_missing(declared_.galleries, read.objects.galleries, invalid_, gone, now);
    find_missing(declared_.definitions, read.objects.definitions, invalid_, gone, now);
    find_missing(declared_.versions, read.objects.versions, invalid_, gone, now);
    find_missing(declared_.policies, read.objects.policies, invalid_, gone, now);
    // What went missing and is not settled counts as lost, too: slow losses add up.
    const auto unsettled = [](const auto& entry) { return entry.second.looks < 2; };
    std::size_t lost = static_cast<std::size_t>(std::ranges::count_if(missing_, unsettled));
    const std::size_t before = count(declared_) + lost;
    for (const auto& [key, entry] : missing_) {
        const bool is_back = contains(read.objects, key) || invalid_.contains(key);
        if (entry.looks < 2 && is_back) --lost;
    }
    empty_ = count(read.objects) == 0;
    frozen_ =
        !approved_source_ && before > 0 && ((gone.size() + lost) * 100 > before * 20 || (empty_ && invalid_.empty()));
    const bool settled = !frozen_ && !unknown_content_;
    DesiredObjects next = read.objects;
    keep_last_good(next.galleries, declared_.galleries, invalid_, !settled);
    keep_last_good(next.definitions, declared_.definitions, invalid_, !settled);
    keep_last_good(next.versions, declared_.versions, invalid_, !settled);
    keep_last_good(next.policies, declared_.policies, invalid_, !settled);
    // What was missing and is there again, but wrong, stands on its last good content, too.
    for (const auto& [key, entry] : missing_) {
        if (invalid_.contains(key) && entry.version) next.versions.emplace(key, *entry.version);
    }
    declared_ = std::move(next);
    if (settled) missing_.merge(gone);
    for (auto& [key, entry] : missing_) {
        if (settled) ++entry.looks;
    }
    for (auto& [key, entry] : missing_) {  // declared again, by their last good content, for as long as it is frozen
        if (frozen_ && entry.looks < 2) entry.looks = 0, entry.since = now;
    }
    std::erase_if(missing_, [&](const auto& entry) {
        const ObjectKey& key = entry.first;
        return invalid_.contains(key) || declared_.galleries.contains(key) || declared_.definitions.contains(key) ||
               declared_.versions.contains(key) || declared_.policies.contains(key);
    });
}

void Guard::judge(const http::Request& request) {
    ++writes_seen;
    const std::string path = path_of(request);
    if (stopped_) wrong("I5: " + request.method + " " + path + " by a process that was told to stop");
    clock_was_off_ = clock_was_off_ || world_.daemon_clock.shift != Duration{0};
    judge_journal(path);
    if (world_.engine_options().observe) wrong("I6: " + request.method + " " + path + " with --observe");
    const ResourceId id(path);
    const std::string type = fold_case(id.type());
    const bool is_version = type == "microsoft.compute/galleries/images/versions";
    if (request.method == "DELETE") {
        ++deletes_seen;
        ++taken_seen;
        deleted_.insert(fold_case(path));
        if (confirmed && !confirmed->contains(id.key())) wrong("I1: DELETE " + path + ", which nobody confirmed");
        if (!world_.engine_options().allow_deletes) wrong("I1: DELETE " + path + " without --allow-deletes");
        judge_source(path);
        if (is_version) return judge_delete_version(path);
        if (type.starts_with("microsoft.compute/galleries")) return judge_delete_parent(path);
        if (type == "microsoft.authorization/roleassignments") return judge_delete_access(path);
    } else if (request.method == "PUT" && type.starts_with("microsoft.compute/galleries")) {
        judge_put(path, request.body);
    }
}

// I3: the record of the intent is there before the request.
void Guard::judge_journal(const std::string& path) {
    const auto open = world_.journal->open_intents();
    if (!open) return wrong("I3: the journal cannot be read");
    const std::string key = fold_case(path);
    for (const AuditRecord& record : *open) {
        if (key.starts_with(fold_case(record.intent.resource))) return;
    }
    wrong("I3: no intent in the journal for " + path);
}

// I2: every input of the scope is there and valid.
void Guard::judge_source(const std::string& id) {
    if (!world_.readable) return wrong("I2: a deletion while the source is unreadable: " + id);
    if (unknown_content_) return wrong("I2: a deletion while a file does not parse: " + id);
    if (empty_) return wrong("I2: a deletion while the source is empty: " + id);
    if (frozen_) return wrong("I2: a deletion while the source is frozen: " + id);
    for (const ObjectKey& key : invalid_) {
        const auto find = [&](const auto& objects) {
            const auto found = objects.find(key);
            return found != objects.end() && fold_case(id).starts_with(found->second.id.key());
        };
        const bool is_sibling = [&] {
            const auto found = declared_.versions.find(key);
            return found != declared_.versions.end() &&
                   fold_case(id).starts_with(found->second.definition_id.key() + "/");
        }();
        if (find(declared_.galleries) || find(declared_.definitions) || is_sibling ||
            key.kind == Kind::lifecycle_policy) {
            wrong("I2: " + id + " is deleted while " + to_string(key) + " is invalid");
        }
    }
}

void Guard::judge_removed(const ObjectKey& key, const std::string& what) {
    const auto found = missing_.find(key);
    if (found == missing_.end()) return wrong("I1: " + what + " is deleted, and its document was not removed");
    const Missing& entry = found->second;
    if (!world_.engine_options().prune) wrong("I1: " + what + " is deleted without --prune");
    if (entry.governance.deletion_policy != DeletionPolicy::remove)
        wrong("I1: " + what + " is deleted, and its deletionPolicy was Orphan");
    if (entry.governance.mode != Mode::manage) wrong("I1: " + what + " is deleted, and its mode was not Manage");
    if (entry.hold) wrong("I1: " + what + " is deleted, and its document was held");
    // Clocks that are less than five minutes apart: either may be right (behaviour §6.8), so the wait may be as much
    // less.
    const Duration apart = std::min<Duration>(std::chrono::abs(world_.daemon_clock.shift), std::chrono::minutes{5});
    if (entry.looks < 2 || world_.clock.now() - entry.since < removal_age_min - apart) {
        wrong("I1: " + what + " is deleted before its removal is settled: gone since " + format_rfc3339(entry.since) +
              ", now " + format_rfc3339(world_.clock.now()) + ", looks " + std::to_string(entry.looks));
    }
}

bool Guard::declares_tag(const ResourceId& resource, const std::string& name) const {
    const auto declares = [&](const auto& objects) {
        for (const auto& [key, object] : objects) {
            if (object.id != resource) continue;
            for (const auto& [declared, value] : object.governance.tags) {
                if (fold_case(declared) == name) return true;
            }
        }
        return false;
    };
    return declares(declared_.galleries) || declares(declared_.definitions) || declares(declared_.versions);
}

// A tag goes only when a document asked for it once and we sent it, nobody changed it since, and no document asks for
// it any more.
void Guard::judge_tags(const ResourceId& resource, const Json& before, const Json& after) {
    const Json tags = after.value("tags", Json::object());
    std::map<std::string, std::string>& sent = sent_tags_[resource.key()];
    if (before.is_null()) sent.clear();  // a deletion that Azure refused forgets nothing
    const Json there = before.is_object() ? before.value("tags", Json::object()) : Json::object();
    for (const auto& [name, value] : there.items()) {
        const std::string folded = fold_case(name);
        if (folded.starts_with("galleryd-") || tags.contains(name)) continue;
        const auto ours = sent.find(folded);
        if (ours == sent.end() || value != ours->second)
            wrong("I6: tag " + name + " of others taken off " + resource.text() + ": it was " + value.dump() +
                  ", sent was " + (ours == sent.end() ? "none" : ours->second));
        if (declares_tag(resource, folded)) wrong("I6: declared tag " + name + " taken off " + resource.text());
    }
    for (const auto& [name, value] : tags.items()) {
        if (!value.is_string()) continue;
        // What we put there is ours, also where the document was edited between the plan and this request.
        const bool is_put_there = there.value(name, Json()) != value;
        if (is_put_there || declares_tag(resource, fold_case(name))) sent[fold_case(name)] = value.get<std::string>();
    }
}

void Guard::judge_put(const std::string& id, const std::string& body) {
    const Json before = world_.azure_json(id);
    const Json after = Json::parse(body, nullptr, false);
    if (!after.is_object()) return wrong("a PUT without a body: " + id);
    const ResourceId resource(id);
    judge_tags(resource, before, after);
    if (tag(after, "galleryd-owner").starts_with(world_.engine_options().instance + "/"))
        recorded_.insert(resource.key());
    const auto is_excluded = [](const Json& version) {
        const Json profile = version.value("properties", Json::object()).value("publishingProfile", Json::object());
        return profile.value("excludeFromLatest", false);
    };
    if (!is_excluded(after)) excluded_by_us_.erase(resource.key());
    else if (before.is_null() || !is_excluded(before)) excluded_by_us_.insert(resource.key());
    if (before.is_null()) return;
    const std::string owner = tag(before, "galleryd-owner");
    if (!owner.empty() && !owner.starts_with(world_.engine_options().instance + "/"))
        wrong("I6: resource of '" + owner + "' written: " + id);
    if (fold_case(resource.type()) != "microsoft.compute/galleries/images/versions") return;
    // Once more is what a lost answer leads to while a replica does not show what it did (reliability R2).
    const std::string state = state_of(before);
    const bool is_repeated = unheard_.erase(resource.key()) > 0 && state != "Deleting";
    if (state != "Succeeded" && state != "Failed" && !is_repeated)
        wrong("I4: version in state " + state + " written: " + id);
    judge_regions(id, before, after);
}

}  // namespace galleryd
