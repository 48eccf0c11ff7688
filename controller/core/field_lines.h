#pragma once
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace galleryd {

// On which line each top-level field of a document's spec stands: "targetRegions" -> 12. Ten thousand documents carry
// one each and a message now and then asks it, so it is one packed text, looked through from the front.
class FieldLines {
  public:
    FieldLines() = default;
    FieldLines(std::initializer_list<std::pair<std::string_view, int>> lines);
    void add(std::string_view field, int line);  // each field once
    std::optional<int> line_of(std::string_view field) const;
    bool contains(std::string_view field) const { return line_of(field).has_value(); }
    void shrink() { packed_.shrink_to_fit(); }
    // The whole of it as one text, for archives.
    const std::string& packed() const { return packed_; }
    static FieldLines from_packed(std::string packed) {
        FieldLines lines;
        lines.packed_ = std::move(packed);
        return lines;
    }

  private:
    std::string packed_;  // "name\nline\n" …: no field's name holds a line break (the schemas name them)
};

}  // namespace galleryd
