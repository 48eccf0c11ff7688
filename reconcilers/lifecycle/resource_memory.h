#pragma once
#include <map>
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
    Status load();
    // Drops what is known of resources whose deletion lies more than eight days back: soft delete keeps them for seven,
    // and a tombstone is kept for ever.
    Status forget_long_gone(TimePoint now);
    ResourceRecord get(const std::string& resource_key) const;  // an empty record when unknown
    Status put(const std::string& resource_key, const ResourceRecord& record);
    // In memory: the journal's operation table holds the rest. `reason` is the change's; unknown after a restart.
    void begin_operation(const std::string& resource_key, const std::string& reason = {});
    void end_operation(const std::string& resource_key);
    std::string operation_reason(const std::string& resource_key) const;
    Status forget(const std::string& resource_key);
    // The resource itself and everything below it.
    std::map<std::string, ResourceRecord> below(const std::string& resource_key) const;
    std::size_t size() const { return records_.size(); }

  private:
    Journal& journal_;
    std::map<std::string, ResourceRecord> records_;
    std::map<std::string, std::string> operation_reasons_;
};

}  // namespace galleryd
