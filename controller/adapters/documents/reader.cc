#include "controller/adapters/documents/reader.h"

#include <algorithm>
#include <functional>
#include <numeric>

#include "controller/adapters/documents/canonical.h"
#include "controller/adapters/documents/parsed.h"
#include "controller/adapters/documents/parsed_cache.h"
#include "controller/adapters/documents/tree.h"
#include "controller/adapters/documents/validator.h"
#include "controller/core/on_threads.h"

namespace galleryd {
namespace {

using documents::ParsedDocument;
using documents::Piece;

template <class Object>
const Metadata* meta_of(const Object& object) {
    if constexpr (requires { object.meta; }) return &object.meta;
    else return nullptr;
}

// As parse_file gave them when they were put into the cache.
std::vector<ParsedDocument> from_cache(const DocumentFile& file, std::vector<documents::DesiredObject> objects) {
    std::vector<ParsedDocument> parsed;
    parsed.reserve(objects.size());
    for (documents::DesiredObject& object : objects) {
        const Metadata* const meta = std::visit([](const auto& held) { return meta_of(held); }, object);
        ParsedDocument& document = parsed.emplace_back();
        document.key = meta->key;
        document.file = &file;
        document.line = static_cast<std::uint32_t>(meta->where.line);
        document.object = std::move(object);
    }
    return parsed;
}

// Only files that nothing was to be said about: whatever is wrong, or only odd, is looked at anew each time.
bool is_clean(const std::vector<ParsedDocument>& documents) {
    return std::ranges::all_of(documents, [](const ParsedDocument& d) { return d.valid() && d.problems.empty(); });
}

std::vector<documents::DesiredObject> objects_of(const std::vector<ParsedDocument>& documents) {
    std::vector<documents::DesiredObject> objects;
    objects.reserve(documents.size());
    for (const ParsedDocument& document : documents) objects.push_back(document.object);
    return objects;
}

enum class From : std::uint8_t { text, cache };

struct Parsed {
    From from = From::text;
    std::optional<std::string> fresh = {};  // for the cache
};

Parsed parse_one(const DocumentFile& file, const ParsedCache* cache, std::vector<ParsedDocument>& documents) {
    if (cache != nullptr) {
        if (auto known = cache->find(file)) {
            documents = from_cache(file, std::move(*known));
            return {.from = From::cache};
        }
    }
    documents = documents::parse_file(file);
    documents::drop_places(documents);
    if (cache == nullptr || !cache->keeps() || !is_clean(documents)) return {};
    return {.fresh = ParsedCache::pack(objects_of(documents))};
}

void tell(const ParsedCache& cache, const std::vector<DocumentFile>& files, std::vector<Parsed>& parsed) {
    std::vector<const DocumentFile*> found;
    std::vector<ParsedCache::Fresh> fresh;
    for (std::size_t i = 0; i < files.size(); ++i) {
        if (parsed[i].from == From::cache) found.push_back(&files[i]);
        if (parsed[i].fresh) fresh.push_back({&files[i], std::move(*parsed[i].fresh)});
    }
    cache.store(found, fresh);
}

std::size_t threads_for(const std::vector<DocumentFile>& files, const ReadOptions& options) {
    return std::min<std::size_t>(static_cast<std::size_t>(std::clamp(options.threads, 1, 64)), files.size() / 4 + 1);
}

std::vector<std::vector<ParsedDocument>> parse_all(const std::vector<DocumentFile>& files, const ReadOptions& options) {
    std::vector<std::vector<ParsedDocument>> documents(files.size());
    std::vector<Parsed> parsed(files.size());
    if (options.cache != nullptr) options.cache->load();
    on_threads(files.size(), threads_for(files, options),
               [&](std::size_t i) { parsed[i] = parse_one(files[i], options.cache, documents[i]); });
    if (options.cache != nullptr) {
        tell(*options.cache, files, parsed);
        options.cache->forget();
    }
    return documents;
}

void note_digest(documents::DesiredObject& object) {
    const auto note = [](auto& held) {
        if constexpr (requires { held.meta; }) held.meta.digest = documents::digest_of(documents::canonical(held));
    };
    std::visit(note, object);
}

template <class Object>
void keep(Object& object, std::map<ObjectKey, Object>& objects) {
    const ObjectKey key = object.meta.key;
    objects.emplace(key, std::move(object));
}

void keep(documents::DesiredObject& object, DesiredObjects& objects) {
    if (auto* gallery = std::get_if<Gallery>(&object)) keep(*gallery, objects.galleries);
    if (auto* definition = std::get_if<ImageDefinition>(&object)) keep(*definition, objects.definitions);
    if (auto* version = std::get_if<ImageVersion>(&object)) keep(*version, objects.versions);
    if (auto* policy = std::get_if<LifecyclePolicy>(&object)) keep(*policy, objects.policies);
}

}  // namespace

ReadResult read_documents(std::vector<DocumentFile> files, const ReadOptions& options) {
    std::vector<std::vector<ParsedDocument>> parsed = parse_all(files, options);
    documents::check_across(parsed, options);
    on_threads(files.size(), threads_for(files, options), [&](std::size_t i) {
        for (ParsedDocument& document : parsed[i]) note_digest(document.object);
    });
    ReadResult result;
    result.documents.reserve(std::transform_reduce(parsed.begin(), parsed.end(), std::size_t{0}, std::plus<>{},
                                                   [](const auto& of_a_file) { return of_a_file.size(); }));
    for (std::size_t i = 0; i < files.size(); ++i) {
        for (ParsedDocument& document : parsed[i]) {
            result.documents.push_back({.key = std::move(document.key),
                                        .file = files[i].file,
                                        .state = document.valid() ? DocumentState::present : DocumentState::invalid,
                                        .problems = std::move(document.problems)});
            keep(document.object, result.objects);
        }
        parsed[i] = {};
        std::string().swap(files[i].content);  // an assignment would keep the room
    }
    return result;
}

std::string to_json_text(const DesiredObjects& objects, const ObjectKey& key) {
    const auto document = documents::canonical(objects, key);
    return document ? document->dump() : std::string();
}

std::vector<Diagnostic> check_change(const DocumentFile& before, const DocumentFile& after) {
    const auto load = [](const DocumentFile& file, documents::Tree& tree) -> const documents::Schema* {
        if (documents::find_text_problem(file.content)) return nullptr;
        const auto pieces = documents::cut_documents(file.content);
        if (pieces.size() != 1) return nullptr;
        documents::ReadTree read = documents::read_tree(pieces[0]);
        if (read.failure || !read.tree.value.is_object() || !read.tree.value.contains("spec") ||
            !read.tree.value.contains("kind") || !read.tree.value["kind"].is_string())
            return nullptr;
        const auto kind = parse_kind(read.tree.value.value("kind", ""));
        if (!kind) return nullptr;
        tree = std::move(read.tree);
        const documents::Schema& schema = documents::schema_of(*kind);
        std::vector<documents::Problem> problems;
        documents::Validator(problems, nullptr, nullptr)
            .check(*schema.properties.find("spec")->second, tree.value["spec"], "/spec");
        return problems.empty() ? &schema : nullptr;
    };
    documents::Tree old_tree, new_tree;
    const documents::Schema* old_schema = load(before, old_tree);
    const documents::Schema* schema = load(after, new_tree);
    if (schema == nullptr || schema != old_schema) return {};
    std::vector<documents::Problem> problems;
    documents::Validator(problems, nullptr, nullptr).check_rules(*schema, new_tree.value, &old_tree.value, "");
    std::vector<Diagnostic> diagnostics;
    for (const documents::Problem& problem : problems)
        diagnostics.push_back(documents::locate(problem, after.file, new_tree.places));
    return diagnostics;
}

}  // namespace galleryd
