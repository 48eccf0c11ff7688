#pragma once
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// HTTP messages as plain values; no Beast here.
namespace galleryd::http {

// Header fields in order; names compare without case.
class Headers {
  public:
    Headers() = default;
    Headers(std::initializer_list<std::pair<std::string, std::string>> fields) : fields_(fields) {}
    void add(std::string name, std::string value) { fields_.emplace_back(std::move(name), std::move(value)); }
    void set(std::string_view name, std::string value);    // replaces every field of that name
    const std::string* find(std::string_view name) const;  // first, or nullptr
    std::string get(std::string_view name) const;          // first, or ""
    std::vector<std::string> all(std::string_view name) const;
    const std::vector<std::pair<std::string, std::string>>& fields() const { return fields_; }

  private:
    std::vector<std::pair<std::string, std::string>> fields_;
};

struct Request {
    std::string method;  // "GET", upper case
    std::string target;  // origin form: "/subscriptions/…?api-version=…", byte for byte
    Headers headers{};
    std::string body{};
};

struct Response {
    int status = 0;
    Headers headers;
    std::string body;
};

}  // namespace galleryd::http
