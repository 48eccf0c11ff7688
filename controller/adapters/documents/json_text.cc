#include "controller/adapters/documents/json_text.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace galleryd::documents {
namespace {

void append_quoted(std::string& out, std::string_view text) {
    constexpr char hex_digits[] = "0123456789abcdef";
    out += '"';
    for (const char c : text) {
        switch (c) {
            case '"': out += "\\\""; break;
            case '\\': out += "\\\\"; break;
            case '\b': out += "\\b"; break;
            case '\t': out += "\\t"; break;
            case '\n': out += "\\n"; break;
            case '\f': out += "\\f"; break;
            case '\r': out += "\\r"; break;
            default:
                if (static_cast<unsigned char>(c) < 0x20) {
                    out += "\\u00";
                    out += hex_digits[static_cast<unsigned char>(c) >> 4U];
                    out += hex_digits[static_cast<unsigned char>(c) & 15U];
                } else {
                    out += c;
                }
        }
    }
    out += '"';
}

}  // namespace

JsonText::JsonText(std::initializer_list<Member> members) : kind_(Kind::object), members_(members) {}

JsonText::JsonText(std::string_view text) : kind_(Kind::text) {
    text_.reserve(text.size() + 2);
    append_quoted(text_, text);
}

JsonText::JsonText(const std::vector<std::string>& texts) : kind_(Kind::text) {
    for (const std::string& text : texts) {
        text_ += text_.empty() ? '[' : ',';
        append_quoted(text_, text);
    }
    text_ += texts.empty() ? "[]" : "]";
}

JsonText::JsonText(const std::map<std::string, std::string>& members) : kind_(Kind::text) {
    for (const auto& [name, value] : members) {
        text_ += text_.empty() ? '{' : ',';
        append_quoted(text_, name);
        text_ += ':';
        append_quoted(text_, value);
    }
    text_ += members.empty() ? "{}" : "}";
}

JsonText::JsonText(double number) : kind_(Kind::text), text_(nlohmann::json(number).dump()) {}

JsonText JsonText::object() {
    JsonText made;
    made.kind_ = Kind::object;
    return made;
}

JsonText JsonText::array() {
    JsonText made;
    made.kind_ = Kind::array;
    return made;
}

bool JsonText::empty() const { return members_.empty(); }

JsonText& JsonText::operator[](std::string_view name) {
    kind_ = Kind::object;
    const auto found = std::ranges::find(members_, name, &Member::name);
    if (found != members_.end()) return found->value;
    members_.push_back({name, {}});
    return members_.back().value;
}

void JsonText::push_back(JsonText item) {
    kind_ = Kind::array;
    members_.push_back({{}, std::move(item)});
}

void JsonText::update(JsonText object) {
    for (Member& member : object.members_) (*this)[member.name] = std::move(member.value);
}

void JsonText::erase(std::string_view name) {
    std::erase_if(members_, [name](const Member& member) { return member.name == name; });
}

void JsonText::append_to(std::string& out) const {
    switch (kind_) {
        case Kind::null: out += "null"; return;
        case Kind::text: out += text_; return;
        case Kind::object:
        case Kind::array: break;
    }
    const bool is_object = kind_ == Kind::object;
    out += is_object ? '{' : '[';
    for (std::size_t i = 0; i < members_.size(); ++i) {
        if (i > 0) out += ',';
        if (is_object) {
            append_quoted(out, members_[i].name);
            out += ':';
        }
        members_[i].value.append_to(out);
    }
    out += is_object ? '}' : ']';
}

std::string JsonText::dump() const {
    std::string out;
    out.reserve(1024);
    append_to(out);
    return out;
}

}  // namespace galleryd::documents
