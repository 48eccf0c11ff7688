#include "controller/adapters/documents/scalar.h"

#include <charconv>

#include "controller/adapters/documents/tree.h"

namespace galleryd::documents {
namespace {

bool all_digits(std::string_view text) {
    return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

// YAML 1.2 core schema: [-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?
bool is_float(std::string_view text) {
    if (!text.empty() && (text.front() == '-' || text.front() == '+')) text.remove_prefix(1);
    if (const std::size_t e = text.find_first_of("eE"); e != std::string_view::npos) {
        std::string_view exponent = text.substr(e + 1);
        if (!exponent.empty() && (exponent.front() == '-' || exponent.front() == '+')) exponent.remove_prefix(1);
        if (!all_digits(exponent)) return false;
        text = text.substr(0, e);
    }
    const std::size_t dot = text.find('.');
    const std::string_view whole = text.substr(0, dot);
    const std::string_view fraction = dot == std::string_view::npos ? std::string_view{} : text.substr(dot + 1);
    return (all_digits(whole) && (fraction.empty() || all_digits(fraction))) || (whole.empty() && all_digits(fraction));
}

[[noreturn]] void refuse_number(const std::string& text, const char* why, Place place) {
    throw ReadFailure{{.code = "GD1026",
                       .pointer = "",
                       .message = "the number " + shortened(text) + " " + why,
                       .remedy = "Write a plain decimal number, or quote it when text is meant."},
                      place};
}

nlohmann::json integer_value(const std::string& text, std::string_view digits, int base, bool negative, Place place) {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number, base);
    if (error != std::errc{} || end != digits.data() + digits.size())
        refuse_number(text, "does not fit into 64 bits", place);
    return negative ? -number : number;
}

}  // namespace

// Types of plain scalars by the YAML 1.2 core schema: `yes`, `on` and 1:30 stay text. A leading zero is refused,
// because YAML 1.1 readers (kubectl among them) take 010 for 8.
nlohmann::json plain_value(const std::string& text, Place place) {
    if (is_one_of(text, {"", "~", "null", "Null", "NULL"})) return nullptr;
    const char first = text.front();
    if (!(first >= '0' && first <= '9') && !is_one_of(text.substr(0, 1), {"-", "+", ".", "t", "T", "f", "F"}))
        return text;
    if (is_one_of(text, {"true", "True", "TRUE"})) return true;
    if (is_one_of(text, {"false", "False", "FALSE"})) return false;
    std::string_view digits = text;
    const bool negative = digits.front() == '-';
    if (negative || digits.front() == '+') digits.remove_prefix(1);
    if (is_one_of(digits, {".inf", ".Inf", ".INF", ".nan", ".NaN", ".NAN"}))
        refuse_number(text, "is not finite", place);
    if (all_digits(digits)) {
        if (digits.size() > 1 && digits.front() == '0')
            refuse_number(text, "has a leading zero, which other YAML readers take for octal", place);
        return integer_value(text, digits, 10, negative, place);
    }
    if (digits.starts_with("0x") && digits.size() > 2 &&
        digits.find_first_not_of("0123456789abcdefABCDEF", 2) == std::string_view::npos) {
        return integer_value(text, digits.substr(2), 16, negative, place);
    }
    if (digits.starts_with("0o") && digits.size() > 2 &&
        digits.find_first_not_of("01234567", 2) == std::string_view::npos) {
        return integer_value(text, digits.substr(2), 8, negative, place);
    }
    if (!is_float(text)) return text;
    double number = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (error != std::errc{}) refuse_number(text, "is out of range", place);
    return negative ? -number : number;
}

}  // namespace galleryd::documents
