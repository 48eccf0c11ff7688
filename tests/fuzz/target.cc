#include "tests/fuzz/target.h"

#include <algorithm>

#include "controller/adapters/documents/text.h"

namespace galleryd::fuzz {

std::vector<Target>& targets() {
    static std::vector<Target> all;
    return all;
}

void require(bool holds, std::string_view property) {
    if (!holds) throw Broken(std::string(property));
}

void require_clear(std::string_view message) {
    require(!message.empty(), "a message says something");
    require(message.size() <= message_bytes_max, "a message is brief");
    require(!message.contains('\n') && !message.contains('\r'), "a message is one line");
    require(!documents::find_text_problem(message), "a message is printable UTF-8");
}

void require_clear(const Error& error) {
    require_clear(error.message);
    require(!error.reason.empty(), "an error has a reason");
}

std::uint8_t Choices::byte() {
    if (rest_.empty()) return 0;
    const auto last = static_cast<std::uint8_t>(rest_.back());
    rest_.remove_suffix(1);
    return last;
}

HeadAndBody cut_head(std::string_view bytes) {
    constexpr std::size_t fields_max = 200;
    HeadAndBody parts;
    while (!bytes.empty()) {
        const std::size_t end = std::min(bytes.find('\n'), bytes.size());
        const std::string_view line = bytes.substr(0, end);
        bytes.remove_prefix(std::min(end + 1, bytes.size()));
        if (line.empty()) break;
        const std::size_t colon = std::min(line.find(':'), line.size());
        std::string_view value = line.substr(std::min(colon + 1, line.size()));
        if (value.starts_with(' ')) value.remove_prefix(1);
        if (parts.fields.size() < fields_max) parts.fields.emplace_back(line.substr(0, colon), value);
    }
    parts.body = bytes;
    return parts;
}

}  // namespace galleryd::fuzz
