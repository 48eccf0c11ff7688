#include "controller/program/declared.h"

#include <algorithm>

#include "controller/adapters/documents/reader.h"
#include "controller/core/desired_objects.h"

namespace galleryd {
namespace {

// But for the content: a document with the same digest has the same.
bool is_same(const GoodDocument& a, const GoodDocument& b) {
    return a.digest == b.digest && a.file == b.file && a.hold == b.hold && a.azure_id == b.azure_id &&
           a.deletion_policy == b.deletion_policy && a.mode == b.mode && a.first_missing == b.first_missing &&
           a.snapshots_missing == b.snapshots_missing;
}

// Of these documents, all but the `valid` ones are known as objects.
bool holds_rest(const DesiredObjects& objects, const std::vector<GoodDocument>& documents, std::size_t valid) {
    const auto known =
        std::ranges::count_if(documents, [&](const GoodDocument& document) { return contains(objects, document.key); });
    return static_cast<std::size_t>(known) + valid == documents.size();
}

// What these documents say, and what a gallery or a policy among them has a say in, is compared and not written.
void only_observe(DesiredObjects& objects, const std::set<ObjectKey>& held_back) {
    const auto by_another = [&](const ImageDefinition& definition) {
        const std::string& space = definition.meta.key.namespace_name;
        return held_back.contains({Kind::lifecycle_policy, space, definition.lifecycle_policy}) ||
               (definition.gallery && held_back.contains(*definition.gallery));
    };
    const auto observe = [](Governance& governance) {
        if (governance.mode == Mode::manage) governance.mode = Mode::observe;
    };
    for (auto& [key, gallery] : objects.galleries) {
        if (held_back.contains(key)) observe(gallery.governance);
    }
    std::set<ObjectKey> observed;
    for (auto& [key, definition] : objects.definitions) {
        if (!held_back.contains(key) && !by_another(definition)) continue;
        observe(definition.governance);
        observed.insert(key);
    }
    for (auto& [key, version] : objects.versions) {
        if (held_back.contains(key) || (version.definition && observed.contains(*version.definition)))
            observe(version.governance);
    }
}

}  // namespace

Status Declared::load() {
    auto documents = journal_.good_documents(Journal::Content::without);
    if (!documents) return std::unexpected(documents.error());
    std::map<std::string, std::vector<GoodDocument>> by_source;
    for (GoodDocument& document : *documents) by_source[document.source].push_back(std::move(document));
    for (const auto& [source, known] : by_source) keep_good_documents(source, known);
    return {};
}

Result<Declared::Moved> Declared::accept(Snapshot snapshot) {
    SnapshotContext context{.now = clock_.now(), .approvals = {}, .remember = remember_ && journal_.writable()};
    const auto approvals = journal_.approvals();
    if (!approvals) return std::unexpected(approvals.error());
    for (const auto& [digest, expires] : *approvals) {
        if (expires > context.now) context.approvals.insert(digest);
    }
    if (snapshot.unchanged && untold_.empty() && is_at_rest(snapshot)) return Moved{.edited = {}, .nothing = true};
    const bool is_unchanged = snapshot.unchanged;
    DesiredObjects held;  // of an unchanged snapshot: what stands on its last good content
    if (is_unchanged) {
        auto whole = again(snapshot, held);
        if (!whole) return std::unexpected(whole.error());
        snapshot = std::move(*whole);
    }
    const std::vector<GoodDocument> before = good_documents(snapshot.source);
    std::optional<Error> failed;
    const std::size_t valid = count_of(snapshot.objects);
    const ParseDocuments parse_kept = [&, source = snapshot.source](const std::vector<GoodDocument>& documents) {
        return is_unchanged && holds_rest(held, documents, valid) ? held : parse(documents, source, failed);
    };
    AcceptedSnapshot accepted = accept_snapshot(std::move(snapshot), before, context, parse_kept, to_json_text);
    if (!reconcile_held_back_) only_observe(accepted.objects, accepted.held_back);
    const auto slot = std::ranges::find(sources_, accepted.source, &AcceptedSnapshot::source);
    AcceptedSnapshot* old = slot == sources_.end() ? nullptr : &*slot;
    if (is_unchanged) accepted.valid = old->valid;
    if (!failed && context.remember) {
        const Status stored = store(accepted.source, before, accepted.documents);
        if (!stored) failed = stored.error();
        else stored_.insert(accepted.source);
    }
    if (failed) return std::unexpected(*failed);
    tell(accepted, old);
    Moved moved;
    moved.health_changed = old == nullptr || old->readable != accepted.readable || old->frozen != accepted.frozen ||
                           old->released != accepted.released || old->source_problems != accepted.source_problems;
    keep_good_documents(accepted.source, accepted.documents);
    std::vector<GoodDocument>().swap(accepted.documents);
    note_missing(accepted, context.now);
    const std::string source = accepted.source;
    DesiredObjects objects = std::exchange(accepted.objects, {});
    if (slot == sources_.end()) {
        sources_.push_back(std::move(accepted));
    } else {
        *slot = std::move(accepted);
    }
    const std::vector<std::string> claims_before = double_claims_;
    const DesiredObjects all = rebuild(source, std::move(objects));
    const Status forgotten = forget_moved();
    moved.edited = find_edited(all);  // also when the journal failed: scopes and objects belong together
    moved.health_changed = moved.health_changed || double_claims_ != claims_before;
    untold_.merge(moved.edited);
    if (!forgotten) return std::unexpected(forgotten.error());
    moved.edited = std::exchange(untold_, {});
    return moved;
}

// Nothing is broken, missing, held back or frozen, and everything is stored: another look at the same changes nothing,
// and a folder is looked at twice a minute.
bool Declared::is_at_rest(const Snapshot& unchanged) const {
    const auto slot = std::ranges::find(sources_, unchanged.source, &AcceptedSnapshot::source);
    const auto known = good_documents_.find(unchanged.source);
    if (slot == sources_.end() || known == good_documents_.end() || slot->revision != unchanged.revision) return false;
    const bool is_whole = slot->readable && !slot->frozen && !slot->released && slot->problems.empty() &&
                          slot->source_problems.empty() && slot->broken.empty() && slot->held_back.empty() &&
                          slot->removed.empty() && slot->invalid == 0;
    return is_whole && stored_.contains(unchanged.source) && !known->second.is_any_missing;
}

std::vector<GoodDocument> Declared::good_documents(const std::string& source) const {
    const auto known = good_documents_.find(source);
    if (known == good_documents_.end() || known->second.squeezed.empty()) return {};
    return Packing<std::vector<GoodDocument>>::unpack(unsqueeze(known->second.squeezed));
}

void Declared::keep_good_documents(const std::string& source, const std::vector<GoodDocument>& documents) {
    good_documents_[source] = {.squeezed = squeeze(Packing<std::vector<GoodDocument>>::pack(documents)),
                               .is_any_missing = std::ranges::any_of(documents, [](const GoodDocument& document) {
                                   return document.first_missing || document.snapshots_missing != 0;
                               })};
}

std::uint64_t Declared::print_of(const Scope& scope, const DesiredObjects& objects) const {
    std::string text;
    const auto add = [&](const auto* object) {
        if (object == nullptr) return;
        const Metadata& meta = object->meta;
        text += to_string(meta.key) + "\n" + meta.digest + "\n" + meta.where.file + ":" +
                std::to_string(meta.where.line) + "\n" + meta.hold.value_or("-") + "\n" +
                meta.deletion_approved.value_or("-") + "\n" + meta.reconcile_requested_at.value_or("-") + "\n" +
                std::to_string(meta.generation) + "\n";
    };
    add(find_object(objects.galleries, scope.gallery));
    add(find_object(objects.definitions, scope.definition));
    for (const ObjectKey& key : scope.versions) add(find_object(objects.versions, std::optional(key)));
    add(find_object(objects.policies, scope.policy));
    for (const RemovedDocument& removed : scope.removed)
        text += "removed " + to_string(removed.key) + " " + std::to_string(removed.snapshots_missing) + "\n";
    for (const AcceptedSnapshot& source : sources_) {
        if (source.held_back.empty() && source.problems.empty()) continue;
        for (const ObjectKey& key : documents_of(scope)) {
            const auto problem = source.problems.find(key);
            if (problem != source.problems.end()) text += "problem " + problem->second + "\n";
            const auto note = source.notes.find(key);
            if (note != source.notes.end()) text += "note " + note->second + "\n";
            if (source.held_back.contains(key)) text += "held back " + to_string(key) + "\n";
        }
    }
    return std::hash<std::string>{}(text);
}

std::set<std::string> Declared::find_edited(const DesiredObjects& objects) {
    std::set<std::string> edited;
    std::map<std::string, std::uint64_t> prints;
    for (const auto& [name, scope] : scopes_) {
        const std::uint64_t print = print_of(scope, objects);
        const auto before = prints_.find(name);
        if (before == prints_.end() || before->second != print) edited.insert(name);
        prints.emplace_hint(prints.end(), name, print);
    }
    prints_ = std::move(prints);
    return edited;
}

// A snapshot that says "as before", with what it was; the objects that the documents themselves did not give apart.
Result<Snapshot> Declared::again(const Snapshot& unchanged, DesiredObjects& held) {
    const auto slot = std::ranges::find(sources_, unchanged.source, &AcceptedSnapshot::source);
    if (slot == sources_.end() || !slot->readable || slot->revision != unchanged.revision)
        return fail(ErrorKind::conflict, "SnapshotUnknown",
                    unchanged.source + " says that nothing changed, but its last look was not taken over");
    Snapshot whole = unchanged;
    whole.unchanged = false;
    whole.objects = kept(unchanged.source);
    for (const ObjectKey& key : slot->held_back) move_object(held, whole.objects, key);
    whole.documents = slot->broken;
    return whole;
}

// Last good contents back into objects; what memory does not hold is read from the journal.
DesiredObjects Declared::parse(std::vector<GoodDocument> documents, const std::string& source,
                               std::optional<Error>& error) const {
    std::map<ObjectKey, GoodDocument*> missing;
    for (GoodDocument& document : documents) {
        if (document.content.empty()) missing.emplace(document.key, &document);
    }
    if (!missing.empty()) {
        auto stored = journal_.good_documents(Journal::Content::with);
        if (!stored) {
            error = stored.error();
            return {};
        }
        for (GoodDocument& document : *stored) {
            const auto wanted = document.source == source ? missing.find(document.key) : missing.end();
            if (wanted != missing.end()) wanted->second->content = std::move(document.content);
        }
    }
    std::vector<DocumentFile> files;
    files.reserve(documents.size());
    for (GoodDocument& document : documents) files.push_back(DocumentFile{document.file, std::move(document.content)});
    return read_documents(std::move(files), ReadOptions{}).objects;
}

// What changed goes to the journal; from then on the contents, most of their size, stay only there.
Status Declared::store(const std::string& source, const std::vector<GoodDocument>& before,
                       std::vector<GoodDocument>& documents) {
    std::map<ObjectKey, const GoodDocument*> known;
    for (const GoodDocument& document : before) known.emplace(document.key, &document);
    std::vector<GoodDocument> changed;
    for (GoodDocument& document : documents) {
        const auto same = known.extract(document.key);
        if (!same || !is_same(*same.mapped(), document)) changed.push_back(document);
        std::string().swap(document.content);  // an assignment would keep the room
    }
    std::vector<ObjectKey> gone;
    for (const auto& [key, document] : known) gone.push_back(key);
    if (changed.empty() && gone.empty()) return {};
    return journal_.update_good_documents(source, changed, gone);
}

// Events for what is new since the look before.
void Declared::tell(const AcceptedSnapshot& accepted, const AcceptedSnapshot* old) {
    if (accepted.frozen && (old == nullptr || !old->frozen)) {
        events_.warning(
            "BrakeEngaged", accepted.source,
            *accepted.frozen + "; deletions are frozen. Release this revision: galleryd approve " + accepted.revision);
    }
    if (!accepted.readable && (old == nullptr || old->readable))
        events_.warning("SourceFetchFailed", accepted.source, accepted.unreadable_reason);
    const std::set<std::string> told(accepted.source_problems.begin(), accepted.source_problems.end());
    for (const auto& [key, problem] : accepted.problems) {
        if (told.contains(problem)) continue;  // of a file that holds many
        if (old == nullptr || !old->problems.contains(key))
            events_.warning("ValidationFailed", to_string(key), problem);
    }
    for (const std::string& problem : accepted.source_problems) {
        if (old == nullptr || std::ranges::find(old->source_problems, problem) == old->source_problems.end()) {
            events_.warning("ValidationFailed", accepted.source, problem);
        }
    }
}

void Declared::note_missing(const AcceptedSnapshot& accepted, TimePoint now) {
    if (!accepted.readable) return;
    std::erase_if(missing_since_, [&](const auto& entry) {
        const ObjectKey& key = entry.first;
        return accepted.objects.galleries.contains(key) || accepted.objects.definitions.contains(key) ||
               accepted.objects.versions.contains(key);
    });
    for (const RemovedDocument& removed : accepted.removed) {
        missing_since_.try_emplace(removed.key,
                                   clock_.monotonic() - std::chrono::nanoseconds(now - removed.first_missing));
    }
}

RemovedDocument Declared::aged(RemovedDocument removed) const {
    const auto since = missing_since_.find(removed.key);
    if (since == missing_since_.end()) return removed;
    const auto gone_for = std::chrono::duration_cast<Duration>(clock_.monotonic() - since->second);
    removed.first_missing = std::max(removed.first_missing, clock_.now() - gone_for);
    return removed;
}

std::map<ObjectKey, std::string> Declared::notes_on(const std::vector<ObjectKey>& keys) const {
    std::map<ObjectKey, std::string> notes;
    for (const AcceptedSnapshot& source : sources_) {
        for (const ObjectKey& key : keys) {
            const auto note = source.notes.find(key);
            if (note != source.notes.end()) notes.emplace(key, note->second);
            else if (!source.readable && source.held_back.contains(key))
                notes.emplace(key, source.source + " cannot be read: " + source.unreadable_reason);
        }
    }
    return notes;
}

std::string Declared::source_trouble() const {
    std::string text;
    for (const AcceptedSnapshot& source : sources_) {
        const std::string parted = text.empty() ? "" : "; ";
        if (!source.readable)
            text += parted + source.source +
                    " cannot be read, its last good content stays in force: " + source.unreadable_reason;
        else if (source.invalid > 0)
            text += parted + source.source + ": " + std::to_string(source.invalid) +
                    (source.invalid == 1 ? " document is" : " documents are") + " not valid (galleryd get sources)";
        else if (source.frozen) text += parted + source.source + ": " + *source.frozen + "; deletions are frozen";
    }
    if (!double_claims_.empty()) text += (text.empty() ? "" : "; ") + double_claims_.front();
    return text;
}

const Scope* Declared::find_scope(const std::string& name) const {
    const auto found = scopes_.find(name);
    return found == scopes_.end() ? nullptr : &found->second;
}

std::string Declared::revision() const {
    std::string text;
    for (const AcceptedSnapshot& source : sources_) text += (text.empty() ? "" : " ") + source.revision;
    return text;
}

// A document that another source declares was moved, not removed; were it kept, it would count as long gone when that
// source drops it.
Status Declared::forget_moved() {
    if (std::ranges::all_of(sources_, [](const AcceptedSnapshot& source) { return source.removed.empty(); })) return {};
    std::set<ObjectKey> keys;
    std::set<std::string> ids;
    const auto declare = [&](const auto& objects) {
        for (const auto& [key, object] : objects) {
            keys.insert(key);
            ids.insert(object.id.key());
        }
    };
    for (const AcceptedSnapshot& source : sources_) {
        const DesiredObjects objects = kept(source.source);
        declare(objects.galleries);
        declare(objects.definitions);
        declare(objects.versions);
    }
    std::set<ObjectKey> moved;
    for (const AcceptedSnapshot& source : sources_) {
        for (const RemovedDocument& removed : source.removed) {
            if (keys.contains(removed.key) || ids.contains(removed.id.key())) moved.insert(removed.key);
        }
    }
    return forget_removed(moved);
}

Status Declared::forget_removed(const std::set<ObjectKey>& keys) {
    if (keys.empty()) return {};
    const auto is_named = [&keys](const RemovedDocument& removed) { return keys.contains(removed.key); };
    for (auto& [source, known] : good_documents_) {
        if (!known.is_any_missing) continue;
        std::vector<GoodDocument> documents = good_documents(source);
        std::vector<ObjectKey> gone;
        std::erase_if(documents, [&](const GoodDocument& document) {
            const bool goes = keys.contains(document.key) && document.first_missing;
            if (goes) gone.push_back(document.key);
            return goes;
        });
        if (gone.empty()) continue;
        if (remember_ && journal_.writable()) {
            if (const Status stored = journal_.update_good_documents(source, {}, gone); !stored) return stored;
        }
        keep_good_documents(source, documents);
    }
    for (AcceptedSnapshot& source : sources_) std::erase_if(source.removed, is_named);
    for (auto at = scopes_.begin(); at != scopes_.end();) {
        Scope& scope = at->second;
        const bool is_moved = std::erase_if(scope.removed, is_named) > 0;
        at = is_moved && scope.removed.empty() && !is_declared(scope) ? scopes_.erase(at) : std::next(at);
    }
    at_hand_.reset();
    return {};
}

}  // namespace galleryd
