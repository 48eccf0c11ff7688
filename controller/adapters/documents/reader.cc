#include "controller/adapters/documents/reader.h"

#include <atomic>
#include <thread>

#include "controller/adapters/documents/canonical.h"
#include "controller/adapters/documents/parsed.h"
#include "controller/adapters/documents/tree.h"
#include "controller/adapters/documents/validator.h"

namespace galleryd {
namespace {

using documents::ParsedDocument;
using documents::Piece;

struct Work {
    const DocumentFile* file = nullptr;
    Piece piece;
    std::optional<documents::TextProblem> problem;
    std::vector<ParsedDocument> parsed;
};

std::vector<Work> cut_files(const std::vector<DocumentFile>& files) {
    std::vector<Work> work;
    for (const DocumentFile& file : files) {
        if (auto problem = documents::find_text_problem(file.content)) {
            work.push_back({&file, {}, std::move(problem), {}});
            continue;
        }
        if (documents::looks_like_json(documents::without_bom(file.content)) && file.file.ends_with(".json")) {
            work.push_back({&file, {documents::without_bom(file.content), 1}, std::nullopt, {}});
            continue;
        }
        for (const Piece& piece : documents::cut_documents(file.content))
            work.push_back({&file, piece, std::nullopt, {}});
    }
    return work;
}

void parse_one(Work& work) {
    if (!work.problem) {
        work.parsed = documents::parse_piece(work.file->file, work.piece);
        return;
    }
    ParsedDocument parsed;
    parsed.file = &work.file->file;
    parsed.places.add(documents::Places::root, "", work.problem->place, work.problem->place);
    parsed.problems.push_back(documents::locate(work.problem->problem, work.file->file, parsed.places));
    work.parsed.push_back(std::move(parsed));
}

// Threads take pieces in turn and write only into their own slot, so the result does not depend on who was faster.
void parse_all(std::vector<Work>& work, int threads_max) {
    std::atomic<std::size_t> next = 0;
    const auto run = [&work, &next] {
        for (std::size_t i = next++; i < work.size(); i = next++) parse_one(work[i]);
    };
    const std::size_t wanted =
        std::min<std::size_t>(static_cast<std::size_t>(std::clamp(threads_max, 1, 64)), work.size() / 16 + 1);
    std::vector<std::jthread> others;
    for (std::size_t i = 1; i < wanted; ++i) others.emplace_back(run);
    run();
}

template <class Object>
void keep(Object& object, std::map<ObjectKey, Object>& objects) {
    object.meta.digest = documents::digest_of(documents::canonical(object));
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

ReadResult read_documents(const std::vector<DocumentFile>& files, const ReadOptions& options) {
    std::vector<Work> work = cut_files(files);
    parse_all(work, options.threads);
    std::vector<ParsedDocument> parsed;
    std::size_t count = 0;
    for (const Work& item : work) count += item.parsed.size();
    parsed.reserve(count);
    for (Work& item : work) {
        std::ranges::move(item.parsed, std::back_inserter(parsed));
        item.parsed = {};
    }
    work = {};
    documents::check_across(parsed, options);
    ReadResult result;
    for (ParsedDocument& document : parsed) {
        result.documents.push_back({.key = document.key,
                                    .file = *document.file,
                                    .state = document.valid() ? DocumentState::present : DocumentState::invalid,
                                    .problems = std::move(document.problems)});
        keep(document.object, result.objects);
        document = {};
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
