#include "controller/adapters/documents/tree.h"

namespace galleryd::documents {

ReadFailure too_deep(Place place) {
    return {{.code = "GD1005",
             .pointer = "",
             .message = "the document is nested too deeply (more than 64 levels)",
             .remedy = "No field of galleryd.io needs more than ten levels."},
            place};
}

Places::Index TreeBuilder::add_place(Place place) {
    if (tree_.places.size() >= values_max) {
        throw ReadFailure{{.code = std::string(too_many_values_code),
                           .pointer = "",
                           .message = "the document has more than 50000 values",
                           .remedy = "Split it into several documents."},
                          place};
    }
    if (open_.empty()) return tree_.places.add(Places::root, "", place, place);
    const Open& parent = open_.back();
    if (parent.is_map) return tree_.places.add(parent.index, parent.key, place, parent.key_place);
    return tree_.places.add(parent.index, std::to_string(parent.value.size()), place, place);
}

void TreeBuilder::attach(nlohmann::json value) {
    if (open_.empty()) {
        tree_.value = std::move(value);
        return;
    }
    Open& parent = open_.back();
    if (parent.is_map) {
        parent.value[parent.key] = std::move(value);
        parent.has_key = false;
    } else {
        parent.value.push_back(std::move(value));
    }
}

void TreeBuilder::begin(bool is_map, Place place) {
    if (expects_key()) {
        throw ReadFailure{{.code = "GD1009",
                           .pointer = "",
                           .message = "a list or map stands where a field name is expected",
                           .remedy = "Write `name: value`."},
                          place};
    }
    if (open_.size() >= depth_max) {
        throw too_deep(place);
    }
    const Places::Index index = add_place(place);
    open_.push_back({.value = is_map ? nlohmann::json::object() : nlohmann::json::array(),
                     .index = index,
                     .is_map = is_map,
                     .key = {},
                     .key_place = {}});
}

void TreeBuilder::end() {
    nlohmann::json value = std::move(open_.back().value);
    open_.pop_back();
    attach(std::move(value));
}

void TreeBuilder::scalar(nlohmann::json value, const std::string& text, Place place) {
    if (!expects_key()) {
        add_place(place);
        attach(std::move(value));
        return;
    }
    Open& parent = open_.back();
    if (text == "<<") {
        throw ReadFailure{{.code = "GD1003",
                           .pointer = "",
                           .message = "merge keys (<<) are not part of YAML 1.2 and not read",
                           .remedy = "Write the fields out."},
                          place};
    }
    if (parent.value.contains(text)) {
        throw ReadFailure{{.code = "GD1002",
                           .pointer = "",
                           .message = "the field \"" + shortened(text) +
                                      "\" is given twice in the same map; it is not clear which one counts",
                           .remedy = "Remove one of them."},
                          place};
    }
    parent.key = text;
    parent.has_key = true;
    parent.key_place = place;
}

bool looks_like_json(std::string_view text) {
    const auto skip = [&text] {
        const std::size_t first = text.find_first_not_of(" \t\r\n");
        text.remove_prefix(std::min(first, text.size()));
    };
    skip();
    if (text.empty() || text.front() != '{') return false;
    text.remove_prefix(1);
    skip();
    return !text.empty() && (text.front() == '"' || text.front() == '}');
}

ReadTree read_tree(const Piece& piece) {
    if (looks_like_json(piece.text)) {
        ReadTree json = read_json(piece);
        if (!json.failure || json.failure->problem.code != "GD1001") return json;
        ReadTree yaml = read_yaml(piece);  // YAML's flow style looks like JSON: {"a": b}
        return yaml.failure ? json : yaml;
    }
    return read_yaml(piece);
}

std::string raw_scalar(const Piece& piece, Place place) {
    std::string_view text = piece.text;
    for (std::uint32_t line = piece.line; line < place.line && !text.empty(); ++line) {
        text.remove_prefix(std::min(text.find('\n'), text.size() - 1) + 1);
    }
    text.remove_prefix(std::min<std::size_t>(place.column == 0 ? 0 : place.column - 1, text.size()));
    return std::string(
        text.substr(0, std::min(text.find_first_of(" \t\r\n,]}#"), std::min<std::size_t>(text.size(), 64))));
}

}  // namespace galleryd::documents
