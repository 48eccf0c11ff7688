#pragma once
#include <string>
#include <string_view>
#include <utility>

namespace galleryd::azure {

// Text that must not be shown: no printer, no comparison, wiped when it dies. `reveal` is for the wire only.
class Secret {
  public:
    Secret() = default;
    explicit Secret(std::string text) : text_(std::move(text)) {}
    Secret(const Secret&) = default;
    Secret(Secret&& other) noexcept : text_(std::exchange(other.text_, {})) {}
    Secret& operator=(Secret other) noexcept {
        text_.swap(other.text_);
        return *this;
    }
    ~Secret() { wipe(text_); }

    const std::string& reveal() const { return text_; }
    bool empty() const { return text_.empty(); }
    static void wipe(std::string& text);  // overwrites; not optimised away

  private:
    std::string text_;
};

}  // namespace galleryd::azure
