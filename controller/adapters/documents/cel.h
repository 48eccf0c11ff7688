#pragma once
#include <cstdint>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

// The part of the Common Expression Language that the rules in crds/*.yaml use, so that folder users and Kubernetes
// users are held to the same rules with the same messages. Anything outside this part does not compile (and a test
// compiles every rule).
//   self, oldSelf, literals, lists, a.b, a[i], has(), size(), matches/startsWith/endsWith/contains/split, int(),
//   double(), string(), all/exists/exists_one/filter/map, ! - * / % + < <= > >= == != in && || ?:
namespace galleryd::documents {

struct CelNode;

class CelRule {
  public:
    // The error says what is not understood and where.
    struct Compiled;
    static Compiled compile(const std::string& text);

    CelRule(CelRule&&) noexcept;
    CelRule& operator=(CelRule&&) noexcept;
    ~CelRule();

    bool is_transition() const { return transition_; }  // names oldSelf: only runs when there is an old value
    // True when the rule holds; an evaluation error counts as "does not hold", as in Kubernetes. Requires: old_self
    // unless !is_transition().
    bool holds(const nlohmann::json& self, const nlohmann::json* old_self) const;
    // The result as JSON text, or "error: …": for tests of the evaluator itself.
    std::string evaluate(const nlohmann::json& self, const nlohmann::json* old_self) const;

  private:
    CelRule();
    std::unique_ptr<CelNode> root_;
    bool transition_ = false;
};

struct CelRule::Compiled {
    std::optional<CelRule> rule;
    std::string error;
};

}  // namespace galleryd::documents
