#pragma once
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

// Texts kept small: each by itself, in the words of those put away before. What one definition's statuses say differs
// from what another's say in names and numbers only, so a text costs a twentieth or less of its size (zstd with a
// dictionary of earlier texts), and a microsecond or two per kilobyte to take out.
namespace galleryd {

class Shelf {
  public:
    Shelf();
    ~Shelf();
    Shelf(const Shelf&) = delete;
    Shelf& operator=(const Shelf&) = delete;

    std::string put_away(std::string_view text);            // may learn from it
    std::string take_out(std::string_view put_away) const;  // what this shelf put away, however long ago

    static constexpr std::size_t dictionary_bytes_max = 32 * 1024;

  private:
    struct Dictionary;
    void learn(std::string_view text);

    std::vector<std::unique_ptr<Dictionary>> dictionaries_;  // texts name theirs by place; the last one is in use
    std::string sample_;                                     // of the dictionary to come
    std::size_t texts_ = 0;
};

// Without the company of others: for one large text.
std::string squeeze(std::string_view text);
std::string unsqueeze(std::string_view squeezed);

}  // namespace galleryd
