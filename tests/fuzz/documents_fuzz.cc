#include "controller/adapters/documents/parsed.h"
#include "controller/adapters/documents/reader.h"
#include "controller/adapters/documents/render.h"
#include "controller/core/archive.h"
#include "controller/core/desired_objects.h"
#include "tests/fuzz/target.h"

// Manifests from bytes to declared objects: problems are messages, objects survive printing, and what may stand in a
// broken file is never taken for gone.
namespace galleryd::fuzz {
namespace {

constexpr std::size_t problems_of_a_document_max = 110;  // documents::problems_max, and those across documents

void check_records(const ReadResult& result, const std::string& file) {
    for (const DocumentRecord& record : result.documents) {
        require(record.file == file, "a record names its file");
        require(record.problems.size() <= problems_of_a_document_max, "problems of a document are bounded");
        require(record.state == DocumentState::present || record.state == DocumentState::invalid, "a state of reading");
        bool has_error = false;
        for (const Diagnostic& problem : record.problems) {
            require(problem.code.starts_with("GD"), "a problem has a code");
            require_clear(problem.message);
            require(problem.remedy.empty() || problem.remedy.size() <= message_bytes_max, "a remedy is brief");
            require(problem.field.size() <= message_bytes_max, "the field is named briefly");
            require(problem.where.file == file && problem.where.line >= 0, "a problem says where");
            has_error = has_error || problem.severity == Severity::error;
        }
        require(has_error == (record.state == DocumentState::invalid), "a document is invalid because of an error");
        const bool is_object = record.key && contains(result.objects, *record.key);
        require(record.state == DocumentState::invalid || is_object, "a document without errors is an object");
    }
    std::size_t present = 0;
    for (const DocumentRecord& record : result.documents) present += record.state == DocumentState::present ? 1 : 0;
    require(count_of(result.objects) <= present, "objects come from documents");
}

template <class Object>
void check_digests(const std::map<ObjectKey, Object>& first, const std::map<ObjectKey, Object>& second) {
    require(first.size() == second.size(), "the same objects come back");
    for (const auto& [key, object] : first) {
        const auto found = second.find(key);
        require(found != second.end(), "every object comes back");
        require(found->second.meta.digest == object.meta.digest, "an object that comes back has the same digest");
    }
}

void check_same(const DesiredObjects& first, const DesiredObjects& second) {
    check_digests(first.galleries, second.galleries);
    check_digests(first.definitions, second.definitions);
    check_digests(first.versions, second.versions);
    check_digests(first.policies, second.policies);
}

void check_archive(const DocumentFile& file) {
    std::vector<documents::DesiredObject> objects;
    for (documents::ParsedDocument& document : documents::parse_file(file))
        objects.push_back(std::move(document.object));
    const std::string packed = pack(objects);
    const auto unpacked = unpack<std::vector<documents::DesiredObject>>(packed);
    require(unpacked && pack(*unpacked) == packed, "what the cache keeps comes back");
}

void run(std::string_view bytes) {
    const DocumentFile file{.file = "fuzz.yaml", .content = std::string(bytes)};
    const ReadResult read = read_documents({file}, {});
    check_records(read, file.file);
    const ReadResult again = read_documents({file}, {});
    require(again.documents.size() == read.documents.size(), "reading twice gives the same");
    check_same(read.objects, again.objects);
    check_archive(file);
    if (count_of(read.objects) == 0) return;
    for (const RenderStyle style : {RenderStyle::complete, RenderStyle::without_defaults}) {
        const DocumentFile rendered{.file = "again.yaml", .content = render_all(read.objects, style)};
        if (rendered.content.size() > documents::file_bytes_max) continue;
        const ReadResult reread = read_documents({rendered}, {});
        check_records(reread, rendered.file);
        check_same(read.objects, reread.objects);
    }
}

const Registered registered({.name = "documents", .run = run, .mutations = 600});

}  // namespace
}  // namespace galleryd::fuzz
