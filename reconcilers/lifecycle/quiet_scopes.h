#pragma once
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "controller/core/observed.h"
#include "controller/core/plan.h"

// Decides whether a scope has to be looked at by reads of its resources, or whether what Resource Graph says of it is
// enough to know that nothing is to be done. Doubt means: look. Times are monotonic.
namespace galleryd {

struct HintFacts {
    bool blind =
        false;  // the hint lacks something that the scope's documents declare (access, sharing groups, storage)
    bool fresh_versions = false;  // a version whose replication nobody has seen yet and may still be running
};

enum class Trust : std::uint8_t {
    nothing,    // the resources have to be read
    hint,       // the plan from Resource Graph's rows: nothing is to be done
    last_look,  // the plan of the last look by reads: the rows lag behind it in the same way as they did then
};

class QuietScopes {
  public:
    // `few`: so few scopes that each may be looked at right after the start.
    Trust trust(const std::string& scope, const Plan& hint, HintFacts facts, bool few, std::chrono::nanoseconds now);
    // What a look by reads ended in. `hint`: the plan from Resource Graph's rows in that moment; null when there was
    // none.
    void note_look(const std::string& scope, const Plan* hint, const Plan& plan, std::chrono::nanoseconds now);
    // Its rows or change records moved: what was tolerated before is not tolerated now.
    void touch(const std::string& scope);
    // Its documents were edited: what it says of itself (generation, verdicts) comes from a look again.
    void doubt(const std::string& scope);
    void forget(const std::string& scope) { looked_.erase(scope); }
    template <class Scopes>
    void keep_only(const Scopes& scopes) {
        std::erase_if(looked_, [&](const auto& entry) { return !scopes.contains(entry.first); });
    }
    // Now and then, never at the start: lets as many scopes be looked at, only because their last look is long ago, as
    // it takes to see each of `scopes` once in audit_age.
    void refill(std::size_t scopes, std::chrono::nanoseconds now);

    static constexpr double audits_at_once_max = 8;
    static constexpr std::chrono::hours audit_age{24};
    static constexpr std::chrono::hours blind_audit_age{1};

  private:
    struct Looked {
        std::string signature;  // of the hint that went with a settled look; "" = none is tolerated
        bool settled = false;   // nothing to do and nothing to wait for
        std::chrono::nanoseconds at{0};
    };
    std::map<std::string, Looked> looked_;
    double audits_left_ = 0;
    std::optional<std::chrono::nanoseconds> refilled_;
};

// Everything of a plan that a person or the executor could act on.
std::string plan_signature(const Plan& plan);
HintFacts facts_of(const DefinitionView& view, TimePoint now);

}  // namespace galleryd
