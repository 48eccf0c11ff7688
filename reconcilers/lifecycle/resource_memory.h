#pragma once
#include <chrono>
#include <map>
#include <optional>
#include <string>

#include "controller/core/policy.h"
#include "controller/ports/journal.h"

namespace galleryd {

// What the journal knows of each resource, kept in memory and written through: a record that could not be stored is an
// error and memory stays as it was. One owner: the loop thread.
class ResourceMemory {
  public:
    explicit ResourceMemory(Journal& journal) : journal_(journal) {}
    // Reads the journal. Intents without an outcome (the process was killed between request and answer) count as
    // written by us: the intent was synced before the request could leave.
    // Where the journal is another process's (`hold` beside a daemon), they may be on the wire right now: they count as
    // well, and their owner closes them.
    enum class Owner : std::uint8_t { ours, another };
    Status load(Owner whose = Owner::ours);
    // Drops what is known of resources whose deletion lies more than eight days back: soft delete keeps them for seven,
    // and a tombstone is kept for ever.
    Status forget_long_gone(TimePoint now);
    ResourceRecord get(const std::string& resource_key) const;  // an empty record when unknown
    Status put(const std::string& resource_key, const ResourceRecord& record);
    // In memory: the journal's operation table holds the rest. `reason` is the change's, `write` tells what was written
    // over what (""= not told); both are unknown after a restart.
    void begin_operation(const std::string& resource_key, const std::string& reason = {},
                         const std::string& write = {});
    // `succeeded_at`: monotonic, when Azure says that it did what was asked.
    void end_operation(const std::string& resource_key,
                       std::optional<std::chrono::nanoseconds> succeeded_at = std::nullopt);
    std::string operation_reason(const std::string& resource_key) const;
    // The same write over the same state as the one that succeeded within the last five minutes: Azure said that it
    // was done, and nothing was. True once; then it may be tried again.
    bool take_without_effect(const std::string& resource_key, const std::string& write, std::chrono::nanoseconds now);
    // Azure accepted a write of it just now, or says that it carried one out. Monotonic: a step of the wall clock ages
    // nothing. Empty when it lies more than own_write_settles (absence.h) back, or before this process began.
    void note_written(const std::string& resource_key, std::chrono::nanoseconds now);
    std::optional<std::chrono::nanoseconds> written_lately(const std::string& resource_key,
                                                           std::chrono::nanoseconds now) const;
    Status forget(const std::string& resource_key);
    // The resource itself and everything below it.
    std::map<std::string, ResourceRecord> below(const std::string& resource_key) const;
    std::size_t size() const { return records_.size(); }

  private:
    Journal& journal_;
    std::map<std::string, ResourceRecord> records_;
    struct Running {
        std::string reason, write;
    };
    std::map<std::string, Running> running_;
    struct Succeeded {
        std::string write;
        std::chrono::nanoseconds at{0};
    };
    std::map<std::string, Succeeded> succeeded_;               // lately
    std::map<std::string, std::chrono::nanoseconds> written_;  // lately
};

}  // namespace galleryd
