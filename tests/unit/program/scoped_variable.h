#pragma once
#include <stdlib.h>

#include <optional>
#include <string>

namespace galleryd {

// An environment variable that has this value (nullopt: is not set) for one test, and what it had before afterwards.
class ScopedVariable {
  public:
    ScopedVariable(std::string name, const std::optional<std::string>& value) : name_(std::move(name)) {
        if (const char* old = ::getenv(name_.c_str()); old != nullptr) old_ = old;
        set(value);
    }
    ~ScopedVariable() { set(old_); }
    ScopedVariable(const ScopedVariable&) = delete;
    ScopedVariable& operator=(const ScopedVariable&) = delete;

    std::optional<std::string> value() const {
        const char* now = ::getenv(name_.c_str());
        return now == nullptr ? std::nullopt : std::optional<std::string>(now);
    }

  private:
    void set(const std::optional<std::string>& value) const {
        if (value) ::setenv(name_.c_str(), value->c_str(), 1);
        else ::unsetenv(name_.c_str());
    }
    std::string name_;
    std::optional<std::string> old_;
};

}  // namespace galleryd
