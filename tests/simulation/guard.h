#pragma once
#include <chrono>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "controller/adapters/http/transport.h"
#include "controller/core/desired.h"
#include "controller/simulator/simulator.h"

// The oracle of the simulation: it knows the true documents, the true Azure and the true time, shares no code with the
// planner, and judges every write at the moment before Azure sees it (reliability I1 to I4, I6, I8, I9). A wrong one
// fails the test.
namespace galleryd {

class World;

class Guard {
  public:
    explicit Guard(World& world) : world_(world) {}

    // A request for as long as it is on the wire.
    class Wire {
      public:
        Wire(Guard& guard, const http::Request& request);
        ~Wire();
        Wire(const Wire&) = delete;
        Wire& operator=(const Wire&) = delete;

      private:
        Guard& guard_;
        std::string key_;
    };

    void looked(const std::map<std::string, std::string>& files);  // the daemon saw the folder like this
    void approved_source() { approved_source_ = true; }            // a person released this state of the folder
    // The state directory is gone: what was declared before is not known any more, so nothing of it may be deleted.
    void memory_lost() { declared_ = {}, missing_ = {}; }
    void note_machines();  // what uses versions now; asked often enough to know since when
    std::string context;   // seed and step, for messages
    std::size_t writes_seen = 0, deletes_seen = 0;
    int problems = 0;
    std::chrono::minutes removal_age_min{15};  // less where a start under a wrong clock makes it uncertain

  private:
    struct Missing {
        TimePoint since{};
        int looks = 0;
        Governance governance;
        std::optional<std::string> hold;
    };
    void judge(const http::Request& request);
    void judge_journal(const std::string& path);
    void judge_delete_version(const std::string& id);
    void judge_use(const std::string& id);
    void judge_delete_parent(const std::string& id);
    void judge_put(const std::string& id, const std::string& body);
    void judge_tags(const ResourceId& resource, const nlohmann::json& before, const nlohmann::json& after);
    bool declares_tag(const ResourceId& resource, const std::string& name) const;
    void judge_source(const std::string& id);
    void judge_removed(const ObjectKey& key, const std::string& what);
    void wrong(const std::string& what);
    std::string describe(const std::string& definition) const;

    World& world_;
    std::set<std::string> on_wire_;
    std::map<std::string, TimePoint> machines_;  // by id, since when
    std::map<std::string, std::map<std::string, std::string>>
        sent_tags_;            // by resource and folded name: what we sent last
    DesiredObjects declared_;  // the last good content of everything declared
    std::map<ObjectKey, Missing> missing_;
    std::set<ObjectKey> invalid_;
    bool unknown_content_ = false, frozen_ = false, empty_ = false, approved_source_ = false;
};

}  // namespace galleryd
