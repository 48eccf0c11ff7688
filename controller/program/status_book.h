#pragma once
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "controller/core/status.h"
#include "controller/program/packing.h"

namespace galleryd {

// What people are told of each declared object, kept by the scope that tells it; policies belong to none.
class StatusBook {
  public:
    static constexpr const char* policies = "";  // in place of a scope's name

    // In the place of what that scope said before; transitions of conditions are carried over. Whether it is news.
    bool put(const std::string& scope, std::vector<ObjectStatus> statuses, TimePoint now);
    std::vector<ObjectStatus> of(const std::string& scope) const;
    // Only the scope's statuses of these objects stay.
    void keep_only(const std::string& scope, const std::set<ObjectKey>& keys);
    template <class Stays>  // by the scope's name
    void keep_scopes_if(Stays stays) {
        parts_.erase_keys_if([&stays](const std::string& scope) { return scope != policies && !stays(scope); });
    }

    // These walk over everything: for the pages and tests, never for a pass.
    std::vector<ObjectStatus> all() const;  // sorted by key
    std::optional<ObjectStatus> find(const ObjectKey& key) const;
    ObjectStatus at(const ObjectKey& key) const { return find(key).value(); }

  private:
    PackedMap<std::string, std::vector<ObjectStatus>> parts_;
};

}  // namespace galleryd
