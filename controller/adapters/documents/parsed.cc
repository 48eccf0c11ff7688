#include "controller/adapters/documents/parsed.h"

#include <set>

#include "controller/adapters/documents/tree.h"
#include "controller/adapters/documents/validator.h"
#include "controller/core/check.h"

namespace galleryd::documents {
namespace {

using nlohmann::json;

constexpr std::string_view api_version = "galleryd.io/v1alpha1";

bool is_label(std::string_view text, std::size_t max) {  // RFC 1123
    const auto alphanumeric = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
    if (text.empty() || text.size() > max || !alphanumeric(text.front()) || !alphanumeric(text.back())) return false;
    return std::ranges::all_of(text, [&](char c) { return alphanumeric(c) || c == '-'; });
}

bool is_subdomain(std::string_view text) {
    if (text.size() > 253) return false;
    for (;;) {
        const std::size_t dot = text.find('.');
        if (!is_label(text.substr(0, dot), 253)) return false;
        if (dot == std::string_view::npos) return true;
        text.remove_prefix(dot + 1);
    }
}

// A document of ours, step by step; stops at the first step that leaves nothing to go on with.
class DocumentParser {
  public:
    DocumentParser(const DocumentFile& file, const Piece& piece, json& value, Places places)
        : piece_(piece), value_(value) {
        parsed_.file = &file;
        parsed_.places = std::move(places);
        parsed_.line = parsed_.places.value_at("").line;
    }

    // Where everything stands, and nothing else.
    ParsedDocument take_places() { return std::move(parsed_); }
    ParsedDocument parse() {
        parse_into();
        for (const Problem& problem : problems_)
            parsed_.problems.push_back(locate(problem, parsed_.file->file, parsed_.places));
        if (has_error(parsed_.problems)) parsed_.object = std::monostate{};
        return std::move(parsed_);
    }

  private:
    void parse_into() {
        const std::optional<Kind> kind = kind_of();
        if (!kind) return;
        Metadata meta;
        if (!read_metadata(*kind, meta)) return;
        parsed_.key = meta.key;
        if (!check_top_level()) return;
        const Schema& schema = schema_of(*kind);
        Validator validator(problems_, &piece_, &parsed_.places);
        validator.check(*schema.properties.find("spec")->second, value_["spec"], "/spec");
        if (!problems_.empty()) return;
        value_.erase("status");
        validator.check_rules(schema, value_, nullptr, "");
        if (!problems_.empty()) return;
        parsed_.object = map_document(value_, meta, problems_);
    }

    void add(const char* code, std::string pointer, std::string message, std::string remedy, bool at_key = false) {
        problems_.push_back({.code = code,
                             .pointer = std::move(pointer),
                             .message = std::move(message),
                             .remedy = std::move(remedy),
                             .at_key = at_key});
    }

    std::optional<Kind> kind_of() {
        if (!value_.contains("kind") || !value_["kind"].is_string()) {
            add("GD1022", "", "the document has no kind",
                "Write kind: Gallery, ImageDefinition, ImageVersion or LifecyclePolicy.");
            return std::nullopt;
        }
        const std::string kind_text = value_["kind"].get<std::string>();
        const auto kind = parse_kind(kind_text);
        if (!kind) {
            const std::string meant =
                nearest(kind_text, {"Gallery", "ImageDefinition", "ImageVersion", "LifecyclePolicy"});
            add("GD1022", "/kind", "galleryd.io has no kind \"" + shortened(kind_text) + "\"",
                meant.empty() ? "Kinds: Gallery, ImageDefinition, ImageVersion, LifecyclePolicy."
                              : "Did you mean " + meant + "?");
        }
        const std::string version = value_["apiVersion"].get<std::string>();
        if (version != api_version) {
            add("GD1022", "/apiVersion", "\"" + shortened(version) + "\" is not a version that this galleryd reads",
                "Write apiVersion: galleryd.io/v1alpha1.");
        }
        return problems_.empty() ? kind : std::nullopt;
    }

    bool check_top_level() {
        static const std::vector<std::string> known{"apiVersion", "kind", "metadata", "spec", "status"};
        for (const auto& [key, unused] : value_.items()) {
            if (std::ranges::find(known, key) != known.end() || problems_.size() >= problems_max) continue;
            const std::string meant = nearest(key, known);
            add("GD1010", pointer_join("", key), "there is no field \"" + shortened(key) + "\"",
                meant.empty() ? "Fields of the declaration belong below spec." : "Did you mean " + meant + "?", true);
        }
        if (!value_.contains("spec"))
            add("GD1011", "", "the field spec is missing", "Add spec: what the object must be.");
        return problems_.empty();
    }

    bool read_metadata(Kind kind, Metadata& meta) {
        if (!value_.contains("metadata") || !value_["metadata"].is_object() || !value_["metadata"].contains("name")) {
            add("GD1011", value_.contains("metadata") ? "/metadata" : "", "the field metadata.name is missing",
                "Add metadata: {name: …, namespace: …}.");
            return false;
        }
        const json& metadata = value_["metadata"];
        const std::string name = metadata_text(metadata, "name", ""),
                          space = metadata_text(metadata, "namespace", "default");
        if (!problems_.empty()) return false;
        if (!is_subdomain(name)) {
            add("GD1023", "/metadata/name", "\"" + shortened(name) + "\" cannot be a name",
                "Use at most 253 lower-case letters, digits, '-' and '.', starting and ending with a letter or digit.");
        }
        if (!is_label(space, 63)) {
            add("GD1023", "/metadata/namespace", "\"" + shortened(space) + "\" cannot be a namespace",
                "Use at most 63 lower-case letters, digits and '-', starting and ending with a letter or digit.");
        }
        if (!problems_.empty()) return false;
        meta.key = {kind, space, name};
        meta.uid = metadata.contains("uid") && metadata["uid"].is_string() ? metadata["uid"].get<std::string>() : "";
        meta.generation = metadata.contains("generation") && metadata["generation"].is_number_integer()
                              ? metadata["generation"].get<std::int64_t>()
                              : 1;
        const Place place = parsed_.places.value_at("");
        meta.where = {parsed_.file->file, static_cast<int>(place.line), static_cast<int>(place.column)};
        read_annotations(metadata, meta);
        read_field_lines(meta);
        return problems_.empty();
    }

    std::string metadata_text(const json& metadata, const char* field, const char* otherwise) {
        if (!metadata.contains(field)) return otherwise;
        if (metadata[field].is_string()) return metadata[field].get<std::string>();
        const std::string pointer = std::string("/metadata/") + field;
        const std::string raw =
            metadata[field].is_primitive() ? raw_scalar(piece_, parsed_.places.value_at(pointer)) : "";
        add("GD1019", pointer, (raw.empty() ? "the value" : raw) + " is not text in YAML, but text is wanted here",
            "Quote it.");
        return otherwise;
    }

    void read_annotations(const json& metadata, Metadata& meta) {
        if (!metadata.contains("annotations") || metadata["annotations"].is_null()) return;
        if (!metadata["annotations"].is_object()) {
            add("GD1013", "/metadata/annotations", "annotations are not a map", "Write a map of texts.");
            return;
        }
        for (const auto& [name, value] : metadata["annotations"].items()) {
            if (!name.starts_with("galleryd.io/") || problems_.size() >= problems_max) continue;
            const std::string pointer = pointer_join("/metadata/annotations", name);
            if (!value.is_string()) {
                const std::string text = shortened(value.dump());
                add("GD1019", pointer, text + " is not text, but annotations are", "Quote it: \"" + text + "\".");
            } else if (name == "galleryd.io/hold") {
                meta.hold = value.get<std::string>();
            } else if (name == "galleryd.io/deletion-approved") {
                meta.deletion_approved = value.get<std::string>();
            } else if (name == "galleryd.io/reconcile-requested-at") {
                meta.reconcile_requested_at = value.get<std::string>();
            } else {
                const std::string meant = nearest(
                    name, {"galleryd.io/hold", "galleryd.io/deletion-approved", "galleryd.io/reconcile-requested-at"});
                add("GD1010", pointer, "there is no annotation \"" + shortened(name) + "\"",
                    meant.empty() ? "Remove it." : "Did you mean " + meant + "?", true);
            }
        }
    }

    void read_field_lines(Metadata& meta) {
        if (!value_.contains("spec") || !value_["spec"].is_object() || value_["spec"].size() > 100)
            return;  // no kind has that many
        for (const auto& [field, unused] : value_["spec"].items()) {
            meta.field_lines.add(field, static_cast<int>(parsed_.places.key_at(pointer_join("/spec", field)).line));
        }
        meta.field_lines.shrink();
    }

    const Piece& piece_;
    json& value_;
    ParsedDocument parsed_;
    std::vector<Problem> problems_;
};

ParsedDocument failed(const DocumentFile& file, const TextProblem& failure) {
    ParsedDocument parsed;
    parsed.file = &file;
    parsed.line = failure.place.line;
    parsed.places.add(Places::root, "", failure.place, failure.place);
    parsed.problems.push_back(locate(failure.problem, file.file, parsed.places));
    return parsed;
}

// A file of refused documents, each of six bytes, would become messages of hundreds of megabytes; so would one that
// declares one object ten thousand times. The last record stands for everything behind it: no key, so whatever was
// declared in this file may still be there.
class Patience {
  public:
    static constexpr std::size_t refused_max = 100;
    explicit Patience(std::size_t first) : seen_(first) {}

    // `documents`: those so far, counted from `first` on; asked after each addition.
    bool is_lost(std::vector<ParsedDocument>& documents) {
        for (; seen_ < documents.size(); ++seen_) {
            const ParsedDocument& document = documents[seen_];
            const bool is_new = !document.key || keys_.insert(*document.key).second;
            refused_ += document.valid() && is_new ? 0 : 1;
        }
        return refused_ >= refused_max;
    }

  private:
    std::size_t seen_, refused_ = 0;
    std::set<ObjectKey> keys_;
};

TextProblem rest_unread(Place place) {
    return {{.code = "GD1006",
             .pointer = "",
             .message = "100 documents of this file are wrong or stand there twice; what follows is not looked at",
             .remedy = "Correct those first, or split the file."},
            place};
}

// What `galleryd simulate --state` reads may lie beside the manifests (manifests/demo/azure.json): a JSON file with an
// ARM list and nothing of a manifest. Anything less clear stays an error, because a manifest that lost its head must
// not count as removed.
bool is_azure_estate(const std::string& file, const json& value) {
    const bool has_list = (value.contains("resources") && value["resources"].is_array()) ||
                          (value.contains("value") && value["value"].is_array());
    return file.ends_with(".json") && has_list && !value.contains("kind") && !value.contains("metadata") &&
           !value.contains("spec");
}

enum class Reading : std::uint8_t { whole, places };

void parse_value(const DocumentFile& file, const Piece& piece, json& value, Places places, Reading reading,
                 std::vector<ParsedDocument>& out) {
    if (value.is_object() && value.contains("apiVersion") && value["apiVersion"].is_string()) {
        const std::string& version = value["apiVersion"].get_ref<const std::string&>();
        if (version == api_version || version == "galleryd.io" || version.starts_with("galleryd.io/")) {
            DocumentParser parser(file, piece, value, std::move(places));
            out.push_back(reading == Reading::whole ? parser.parse() : parser.take_places());
            return;
        }
        if (version == "v1" && value.value("kind", json()) == json("List") && value.contains("items") &&
            value["items"].is_array()) {
            std::vector<Places> below = places.items_below("/items");
            Patience patience(out.size());
            for (std::size_t i = 0; i < value["items"].size(); ++i) {
                json& item = value["items"][i];
                const bool nested = item.is_object() && item.value("kind", json()) == json("List");
                if (nested) continue;
                Places where;
                if (i < below.size()) where = std::move(below[i]);
                else where.add(Places::root, "", places.value_at(""), places.value_at(""));  // hashes of keys collided
                if (reading == Reading::whole && patience.is_lost(out)) {
                    out.push_back(failed(file, rest_unread(where.value_at(""))));
                    break;
                }
                parse_value(file, piece, item, std::move(where), reading, out);
            }
        }
        return;  // another API group: none of our business
    }
    const bool is_map = value.is_object();
    if (is_map && is_azure_estate(file.file, value)) return;
    out.push_back(failed(file, {{.code = is_map ? "GD1022" : "GD1009",
                                 .pointer = "",
                                 .message = is_map ? "the document has no apiVersion" : "the document is not a map",
                                 .remedy = "Begin with apiVersion: galleryd.io/v1alpha1 and kind: …"},
                                places.value_at("")}));
}

// The documents of one piece: none (comments, other API groups), one, or the items of a List.
void parse_piece(const DocumentFile& file, const Piece& piece, Reading reading, std::vector<ParsedDocument>& out) {
    ReadTree read = read_tree(piece);
    if (read.failure) {
        out.push_back(failed(file, *read.failure));
    } else if (!read.empty) {
        parse_value(file, piece, read.tree.value, std::move(read.tree.places), reading, out);
    }
}

bool is_one_json(const DocumentFile& file, std::string_view text) {
    return file.file.ends_with(".json") && looks_like_json(text);
}

}  // namespace

std::vector<ParsedDocument> parse_file(const DocumentFile& file) {
    std::vector<ParsedDocument> documents;
    if (const auto problem = find_text_problem(file.content)) {
        documents.push_back(failed(file, *problem));
        return documents;
    }
    const std::string_view text = without_bom(file.content);
    if (is_one_json(file, text)) {
        parse_piece(file, {text, 1}, Reading::whole, documents);
        return documents;
    }
    const std::vector<Piece> pieces = cut_documents(file.content);
    // Most of them hold one document, and ten thousand stay for a while; a mebibyte has not room for more that are
    // right.
    documents.reserve(std::min<std::size_t>(pieces.size(), 10'000));
    Patience patience(0);
    for (std::size_t i = 0; i < pieces.size(); ++i) {
        parse_piece(file, pieces[i], Reading::whole, documents);
        if (!patience.is_lost(documents) || i + 1 == pieces.size()) continue;
        documents.push_back(failed(file, rest_unread({pieces[i + 1].line, 1})));
        break;
    }
    return documents;
}

void drop_places(std::vector<ParsedDocument>& of_a_file) {
    for (ParsedDocument& document : of_a_file) {
        if (document.problems.empty()) document.places = {};
    }
}

void restore_places(std::vector<ParsedDocument>& of_a_file) {
    const DocumentFile& file = *of_a_file.front().file;
    const std::string_view text = without_bom(file.content);
    std::vector<Piece> pieces{{text, 1}};
    if (!is_one_json(file, text)) pieces = cut_documents(file.content);
    std::vector<ParsedDocument> again;
    for (std::size_t i = 0; i < pieces.size() && again.size() < of_a_file.size(); ++i)
        parse_piece(file, pieces[i], Reading::places, again);
    // Fewer, where the last record stands for what was not looked at: it has its place already.
    for (std::size_t i = 0; i < std::min(again.size(), of_a_file.size()); ++i) {
        if (of_a_file[i].places.size() == 0) of_a_file[i].places = std::move(again[i].places);
    }
}

}  // namespace galleryd::documents
