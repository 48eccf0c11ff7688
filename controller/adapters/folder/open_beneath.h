#pragma once
#include <string>

namespace galleryd::folder {

// A file descriptor that closes itself.
class Descriptor {
  public:
    explicit Descriptor(int value) : value_(value) {}
    Descriptor(Descriptor&& other) noexcept : value_(other.value_) { other.value_ = -1; }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    Descriptor& operator=(Descriptor&&) = delete;
    ~Descriptor();
    int get() const { return value_; }
    bool is_open() const { return value_ >= 0; }
    int release() {
        const int value = value_;
        value_ = -1;
        return value;
    }

  private:
    int value_;
};

// openat2 with RESOLVE_BENEATH and RESOLVE_NO_MAGICLINKS; open_by_components where it is not available. errno as
// openat2's.
Descriptor open_beneath(int folder, const std::string& path, int flags);

}  // namespace galleryd::folder
