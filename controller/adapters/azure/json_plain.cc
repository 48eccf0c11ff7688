#include "controller/adapters/azure/json_plain.h"

#include <nlohmann/json.hpp>

namespace galleryd::azure {
namespace {

// Every function leaves `at_` behind what it read, or answers false: not plain, or not JSON.
class Builder {
  public:
    explicit Builder(std::string_view text) : at_(text.data()), end_(text.data() + text.size()) {}

    bool build(Json& tree) {
        if (!read_value(tree, 0)) return false;
        skip_blanks();
        return at_ == end_;
    }

  private:
    static bool is_blank(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }
    static bool is_digit(char c) { return c >= '0' && c <= '9'; }
    void skip_blanks() {
        while (at_ != end_ && is_blank(*at_)) ++at_;
    }
    bool take(char c) {
        skip_blanks();
        if (at_ == end_ || *at_ != c) return false;
        ++at_;
        return true;
    }

    bool read_text(std::string_view& text) {
        if (!take('"')) return false;
        const char* const start = at_;
        const char* at = at_;
        const char* const end = end_;
        while (at != end && *at != '"') {
            const auto c = static_cast<unsigned char>(*at);
            if (c < 0x20 || c >= 0x80 || c == '\\') return false;
            ++at;
        }
        if (at == end) return false;
        text = std::string_view(start, static_cast<std::size_t>(at - start));
        at_ = at + 1;
        return true;
    }

    bool read_object(Json& object, int depth) {
        object = Json::object();
        auto& members = object.get_ref<Json::object_t&>();
        if (take('}')) return true;
        do {
            std::string_view name;
            if (!read_text(name) || !take(':')) return false;
            const auto member = members.emplace_hint(members.end(), std::string(name), nullptr);
            if (!read_value(member->second, depth)) return false;  // a name that comes twice: the last one counts
        } while (take(','));
        return take('}');
    }

    bool read_list(Json& list, int depth) {
        list = Json::array();
        auto& values = list.get_ref<Json::array_t&>();
        if (take(']')) return true;
        do {
            if (!read_value(values.emplace_back(), depth)) return false;
        } while (take(','));
        return take(']');
    }

    bool read_number(Json& number) {
        const bool negative = *at_ == '-';
        if (negative) ++at_;
        const char* const start = at_;
        std::uint64_t value = 0;
        while (at_ != end_ && is_digit(*at_)) value = value * 10 + static_cast<std::uint64_t>(*at_++ - '0');
        const auto digits = at_ - start;
        if (digits == 0 || digits > 18 || (*start == '0' && digits > 1)) return false;
        if (at_ != end_ && (*at_ == '.' || *at_ == 'e' || *at_ == 'E')) return false;
        if (negative) number = -static_cast<std::int64_t>(value);
        else number = value;
        return true;
    }

    bool read_word(std::string_view word, Json value, Json& target) {
        if (!std::string_view(at_, static_cast<std::size_t>(end_ - at_)).starts_with(word)) return false;
        at_ += word.size();
        target = std::move(value);
        return true;
    }

    bool read_value(Json& value, int depth) {
        skip_blanks();
        if (at_ == end_ || depth > json_depth_max) return false;
        switch (*at_) {
            case '"': {
                std::string_view text;
                if (!read_text(text)) return false;
                value = Json(std::string(text));
                return true;
            }
            case '{': ++at_; return read_object(value, depth + 1);
            case '[': ++at_; return read_list(value, depth + 1);
            case 't': return read_word("true", true, value);
            case 'f': return read_word("false", false, value);
            case 'n': return read_word("null", nullptr, value);
            default: return (*at_ == '-' || is_digit(*at_)) && read_number(value);
        }
    }

    const char* at_;
    const char* end_;
};

}  // namespace

Json parse_plain_json(std::string_view text) {
    Json tree;
    if (Builder(text).build(tree)) return tree;
    return Json::parse(text, nullptr, false);
}

}  // namespace galleryd::azure
