#include <nlohmann/json.hpp>

#include "controller/adapters/documents/cel.h"
#include "controller/adapters/documents/text.h"
#include "tests/fuzz/target.h"

// Rules and what they are asked about: the first line is a rule, the second the object, the third what it was before.
// Patterns of matches() come from crds/ alone, as the rules do: std::regex has no bound for those of a stranger.
namespace galleryd::fuzz {
namespace {

using documents::CelRule;
using nlohmann::json;

std::string_view take_line(std::string_view& bytes) {
    const std::size_t end = std::min(bytes.find('\n'), bytes.size());
    const std::string_view line = bytes.substr(0, end);
    bytes.remove_prefix(std::min(end + 1, bytes.size()));
    return line;
}

void run(std::string_view bytes) {
    const std::string text(take_line(bytes));
    if (text.contains("matches") || documents::find_text_problem(text)) return;
    const CelRule::Compiled compiled = CelRule::compile(text);
    require(compiled.rule.has_value() == compiled.error.empty(), "a rule compiles or is refused");
    if (!compiled.rule) return require_clear(compiled.error.substr(0, 1000));
    const json self = json::parse(take_line(bytes), nullptr, false);
    const json before = json::parse(take_line(bytes), nullptr, false);
    if (self.is_discarded()) return;
    const json* old_self = before.is_discarded() ? nullptr : &before;
    if (old_self == nullptr && compiled.rule->is_transition()) return;
    const std::string result = compiled.rule->evaluate(self, old_self);
    require(result.starts_with("error: ") || json::accept(result), "a result is a value or an error");
    require(compiled.rule->holds(self, old_self) == (result == "true"), "a rule holds when it says true");
}

const Registered registered({.name = "cel", .run = run});

}  // namespace
}  // namespace galleryd::fuzz
