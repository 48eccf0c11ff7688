#pragma once
#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace galleryd::documents {

// JSON that is only written: what nlohmann::ordered_json is used for when a value is built up member by member and
// printed once, in a tenth of the time (ten thousand documents are printed at each start, for their digests). The text
// is byte for byte that of ordered_json::dump(), because digests of it stand in journals. Names of members are
// literals.
class JsonText {
  public:
    struct Member;

    JsonText();  // null
    JsonText(const JsonText& other);
    JsonText(JsonText&& other) noexcept;
    JsonText& operator=(const JsonText& other);
    JsonText& operator=(JsonText&& other) noexcept;
    ~JsonText();
    JsonText(std::initializer_list<Member> members);
    JsonText(const std::string& text) : JsonText(std::string_view(text)) {}
    JsonText(const char* text) : JsonText(std::string_view(text)) {}
    JsonText(std::string_view text);
    JsonText(const std::vector<std::string>& texts);
    JsonText(const std::map<std::string, std::string>& members);
    JsonText(double number);
    template <std::same_as<bool> Bool>
    JsonText(Bool value) : kind_(Kind::text), text_(value ? "true" : "false") {}
    template <std::integral Number>
    requires(!std::same_as<Number, bool>) JsonText(Number number) : kind_(Kind::text), text_(std::to_string(number)) {}
    static JsonText object();
    static JsonText array();

    JsonText& operator[](std::string_view name);  // null becomes an object, a missing member null
    void push_back(JsonText item);                // null becomes an array
    void update(JsonText object);
    void erase(std::string_view name);
    bool is_null() const { return kind_ == Kind::null; }
    bool empty() const;  // of an object or array
    std::string dump() const;

  private:
    enum class Kind : std::uint8_t { null, text, object, array };
    void append_to(std::string& out) const;

    Kind kind_ = Kind::null;
    std::string text_;  // as it is printed
    std::vector<Member> members_;
};

struct JsonText::Member {
    std::string_view name;  // none: an item of an array
    JsonText value;
};

// Here, because a vector of members wants to know what a member is.
inline JsonText::JsonText() = default;
inline JsonText::JsonText(const JsonText& other) = default;
inline JsonText::JsonText(JsonText&& other) noexcept = default;
inline JsonText& JsonText::operator=(const JsonText& other) = default;
inline JsonText& JsonText::operator=(JsonText&& other) noexcept = default;
inline JsonText::~JsonText() = default;

}  // namespace galleryd::documents
