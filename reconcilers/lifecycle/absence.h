#pragma once
#include <chrono>
#include <map>
#include <string>

#include "controller/core/policy.h"

// When "404" may be believed. Azure answers from replicas that lag: after our own PUT a GET may miss the resource for
// five minutes, and reads flap between 200 and 404 (azure-facts §15; reliability B11, Z5). Terraform's provider waits
// for ten misses in a row; so do we, 15 s apart at least, and none counts within ten minutes (twice the longest seen)
// of a write of ours that Azure accepted. Somebody who deletes our resource by hand sees it made again two and a half
// minutes later at the earliest. What we never wrote is believed to be absent at once. Decision 0029.
namespace galleryd {

inline constexpr int absence_reads_min = 10;
inline constexpr std::chrono::seconds absence_read_interval{15};
inline constexpr std::chrono::minutes own_write_settles{10};

// Whether a read that does not find it has to be agreed with: Azure once accepted it from us, and it was not we who
// deleted it since.
bool needs_agreement(const ResourceRecord& record);

// What people are told meanwhile: "Azure answers 404 where it stood before; …". Never a counter: it is a condition's
// text.
std::string absence_text();

// In memory: a restart counts from the beginning. Times are monotonic. A row lasts until the resource is seen, however
// long the pauses between its reads (six hours at most).
class AbsenceMemory {
  public:
    void note_seen(const std::string& resource_key) { missing_.erase(resource_key); }
    // One strong read that did not find it. True once enough of them in a row agreed.
    bool note_missing(const std::string& resource_key, std::chrono::nanoseconds now);
    bool is_open(const std::string& resource_key) const { return missing_.contains(resource_key); }  // missed, not seen
    bool agrees(const std::string& resource_key) const;                                              // often enough
    int reads_left(const std::string& resource_key) const;  // that have to agree still
    template <class Keys>
    void keep_only(const Keys& keys) {
        std::erase_if(missing_, [&](const auto& entry) { return !keys.contains(entry.first); });
    }
    std::size_t size() const { return missing_.size(); }

  private:
    struct Missing {
        int reads = 0;
        std::chrono::nanoseconds last{0};
    };
    std::map<std::string, Missing> missing_;
};

}  // namespace galleryd
