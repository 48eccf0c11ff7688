#include "controller/adapters/azure/graph_rows.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "controller/adapters/azure/decode_tree.h"
#include "controller/adapters/azure/json_read.h"

namespace galleryd::azure {
namespace {

// Walks over JSON without building anything; what a value says is read later, by the parser. Every function leaves the
// position behind what it read, or false.
class Scanner {
  public:
    explicit Scanner(std::string_view text) : text_(text) {}

    bool skip_blanks() {
        while (at_ < text_.size() &&
               (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\r' || text_[at_] == '\n'))
            ++at_;
        return at_ < text_.size();
    }
    bool take(char c) {
        if (!skip_blanks() || text_[at_] != c) return false;
        ++at_;
        return true;
    }
    bool is_next(char c) { return skip_blanks() && text_[at_] == c; }
    bool is_at_end() { return !skip_blanks(); }

    bool skip_text() {
        if (!take('"')) return false;
        while (at_ < text_.size() && text_[at_] != '"') at_ += text_[at_] == '\\' ? 2 : 1;
        if (at_ >= text_.size()) return false;
        ++at_;
        return true;
    }

    // One value of any kind, brackets counted.
    bool skip_value(std::string_view& value) {
        if (!skip_blanks()) return false;
        const std::size_t start = at_;
        int depth = 0;
        do {
            const char c = text_[at_];
            if (c == '"') {
                if (!skip_text()) return false;
            } else if (c == '{' || c == '[') {
                if (++depth > json_depth_max) return false;
                ++at_;
            } else if (c == '}' || c == ']') {
                --depth;
                ++at_;
            } else if (depth == 0) {
                at_ = std::min(text_.find_first_of(",]} \t\r\n", at_), text_.size());
                break;
            } else {
                while (at_ < text_.size() && !is_structure(text_[at_])) ++at_;
            }
        } while (depth > 0 && at_ < text_.size());
        value = text_.substr(start, at_ - start);
        return depth == 0 && !value.empty();
    }

    // [value, value, …]
    bool skip_list(std::vector<std::string_view>& values) {
        if (!take('[')) return false;
        if (take(']')) return true;
        do {
            std::string_view value;
            if (!skip_value(value)) return false;
            values.push_back(value);
        } while (take(','));
        return take(']');
    }

  private:
    static bool is_structure(char c) { return c == '"' || c == '{' || c == '}' || c == '[' || c == ']'; }

    std::string_view text_;
    std::size_t at_ = 0;
};

std::optional<std::uint64_t> whole_number(std::string_view text) {
    const Json value = Json::parse(text, nullptr, false);
    if (!value.is_number_unsigned()) return std::nullopt;
    return value.get<std::uint64_t>();
}

// resultTruncated is the text "true" or "false" (azure-facts §8); a boolean says the same.
bool says_true(std::string_view text) { return text == "\"true\"" || text == "true"; }

struct Found {
    bool data = false, total = false, count = false;
};

bool read_member(std::string_view name, Scanner& scanner, GraphPage& page, Found& found) {
    if (name == "\"data\"" && scanner.is_next('[')) {
        found.data = true;
        return scanner.skip_list(page.rows);
    }
    std::string_view value;
    if (!scanner.skip_value(value)) return false;
    if (name == "\"totalRecords\"" || name == "\"count\"") {
        const auto number = whole_number(value);
        if (!number) return true;
        (name == "\"count\"" ? page.count : page.total) = *number;
        (name == "\"count\"" ? found.count : found.total) = true;
    } else if (name == "\"resultTruncated\"") {
        page.truncated = says_true(value);
    } else if (name == "\"$skipToken\"") {
        const Json token = Json::parse(value, nullptr, false);
        if (token.is_string()) page.skip_token = token.get<std::string>();
    }
    return true;
}

// Why a text is no page: the parser of single answers has the words for web pages and cut texts.
std::unexpected<Error> not_a_page(std::string_view text) {
    const auto parsed = parse_json(text, "Resource Graph");
    if (!parsed) return std::unexpected(parsed.error());
    return unreadable("GD3003", "Resource Graph: the answer is no page of rows");
}

Result<Json> parse_row(std::string_view row) {
    Json parsed = Json::parse(row, nullptr, false);
    if (parsed.is_object()) return parsed;
    return unreadable("GD3001", "Resource Graph: a row is not whole JSON");
}

template <class T>
std::uint64_t hash_of_id(const T& observed) {
    return std::hash<std::string>{}(observed.id.key());
}

}  // namespace

Result<GraphPage> scan_graph_page(std::string_view text) {
    Scanner scanner(text);
    GraphPage page;
    Found found;
    page.rows.reserve(1000);
    if (!scanner.take('{')) return not_a_page(text);
    if (!scanner.take('}')) {
        do {
            std::string_view name;
            if (!scanner.is_next('"') || !scanner.skip_value(name) || !scanner.take(':') ||
                !read_member(name, scanner, page, found))
                return not_a_page(text);
        } while (scanner.take(','));
        if (!scanner.take('}')) return not_a_page(text);
    }
    if (!scanner.is_at_end() || !found.data || !found.total) return not_a_page(text);
    if (!found.count) page.count = page.rows.size();
    return page;
}

std::optional<ResourceKind> gallery_kind_of(const ResourceId& id) {
    switch (std::ranges::count(id.text(), '/')) {
        case 8: return ResourceKind::gallery;
        case 10: return ResourceKind::definition;
        case 12: return ResourceKind::version;
        default: return std::nullopt;
    }
}

Result<std::uint64_t> deliver_row(std::string_view row, const DecodeContext& context, InventorySink& sink) {
    const auto tree = parse_row(row);
    if (!tree) return std::unexpected(tree.error());
    const Json& id = member(*tree, "id");
    const auto slashes = id.is_string() ? std::ranges::count(id.get_ref<const std::string&>(), '/') : 0;
    std::uint64_t hash = 0;
    if (slashes == 8) {
        auto gallery = read_gallery(*tree, context);
        if (!gallery) return std::unexpected(std::move(gallery.error()));
        hash = hash_of_id(*gallery);
        sink.on_gallery(std::move(*gallery));
    } else if (slashes == 10) {
        auto definition = read_definition(*tree, context);
        if (!definition) return std::unexpected(std::move(definition.error()));
        hash = hash_of_id(*definition);
        sink.on_definition(std::move(*definition));
    } else {
        auto version = read_version(*tree, context);
        if (!version) return std::unexpected(std::move(version.error()));
        hash = hash_of_id(*version);
        sink.on_version(std::move(*version));
    }
    return hash;
}

Result<std::string> read_subscription_row(std::string_view row) {
    const auto tree = parse_row(row);
    if (!tree) return std::unexpected(tree.error());
    std::string id = fold_case(text_member(*tree, "subscriptionId"));
    if (id.empty()) return unreadable("GD3005", "Resource Graph: a subscription's row has no subscriptionId");
    return id;
}

Result<std::optional<ResourceChange>> read_change_row(std::string_view row) {
    const auto tree = parse_row(row);
    if (!tree) return std::unexpected(tree.error());
    const auto id = parse_resource_id(text_member(*tree, "target"));
    const auto at = parse_azure_time(text_member(*tree, "at"));
    if (!id || !at) {
        return unreadable("GD3005", "Resource Graph: a change record names no resource or no time, its target is \"" +
                                        printable(text_member(*tree, "target"), 200) + "\"");
    }
    const auto kind = gallery_kind_of(*id);
    if (!kind || !fold_case(id->type()).starts_with("microsoft.compute/galleries")) return std::nullopt;
    const std::string word = fold_case(text_member(*tree, "change"));
    const ChangeType type = word == "create"   ? ChangeType::created
                            : word == "update" ? ChangeType::updated
                            : word == "delete" ? ChangeType::removed
                                               : ChangeType::unknown;
    return ResourceChange{
        .id = *id, .kind = *kind, .type = type, .at = *at, .changed_by = printable(text_member(*tree, "by"), 200)};
}

Result<ResourceFacts> read_facts_row(std::string_view row) {
    const auto tree = parse_row(row);
    if (!tree) return std::unexpected(tree.error());
    const auto id = parse_resource_id(text_member(*tree, "id"));
    const auto kind = id ? gallery_kind_of(*id) : std::nullopt;
    if (!kind) return unreadable("GD3005", "Resource Graph: a row names no gallery, image definition or version");
    // Of the text: a difference in spelling is a difference, which costs a look and hides nothing.
    return ResourceFacts{
        .id = *id,
        .kind = *kind,
        .state = parse_provisioning_state(text_member(member(*tree, "properties"), "provisioningState")),
        .fingerprint = std::hash<std::string_view>{}(row)};
}

}  // namespace galleryd::azure
