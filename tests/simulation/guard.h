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
// fails the test, or is told to who collects. Also the twelve points of the interlock (behaviour §6) are judged here by
// the true state, each by itself: tests/mutation switches one after the other off in the daemon.
namespace galleryd {

class World;
struct ReadResult;

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

    // What an answer showed to the daemon; `asked`: monotonic, when the request left.
    void answered(const http::Request& request, const http::Response& answer, std::chrono::nanoseconds asked);
    void not_answered(const std::string& path) { unheard_.insert(ResourceId(path).key()); }
    void looked(const ReadResult& read);                 // the daemon saw the folder like this
    void approved_source() { approved_source_ = true; }  // a person released this state of the folder
    // The state directory is gone: what was declared before is not known any more, so nothing of it may be deleted.
    void memory_lost();
    // A person approved a digest, which was shown to them with these resources.
    void approved(const std::set<std::string>& shown) { approved_.insert(shown.begin(), shown.end()); }
    void pass_begins() { deleted_in_pass_.clear(); }  // the brake counts by passes
    void process_stopped() { stopped_ = true; }       // it was told to write nothing any more
    void process_started();
    void note_machines();                    // what uses versions now; asked often enough to know since when
    std::string context;                     // seed and step, for messages
    bool forgives_what_nobody_sees = false;  // machines in subscriptions that Azure never showed to this memory
    bool collects = false;                   // wrong writes are kept in `verdicts` and fail nothing
    std::vector<std::string> verdicts;       // "I1: held version deleted: /subscriptions/…"
    std::size_t writes_seen = 0, deletes_seen = 0;
    std::size_t taken_seen = 0;                      // deletions, and PUTs that take regions or replicas away
    std::optional<std::set<std::string>> confirmed;  // `apply`: what a person said yes to, by ResourceId::key()
    int problems = 0;
    std::chrono::minutes removal_age_min{15};  // less where a start under a wrong clock makes it uncertain

  private:
    struct Missing {
        TimePoint since{};
        int looks = 0;
        Governance governance;
        std::optional<std::string> hold;
        std::optional<ImageVersion> version;
    };
    struct Sight {
        std::chrono::nanoseconds asked{0};  // monotonic
        Duration shift{0};                  // of the daemon's clock, then
        std::string identity;               // what tells a version from another one under its name
    };
    struct Sights {
        std::optional<Sight> last, before, alone;  // alone: by a GET of its own, not in a list
    };
    void judge(const http::Request& request);
    void judge_journal(const std::string& path);
    void judge_delete_version(const std::string& id);
    void judge_use(const std::string& id);
    void note_shown_subscriptions(const std::string& answer);
    void judge_delete_parent(const std::string& id);
    void judge_delete_access(const std::string& id);
    void judge_by_rule(const std::string& id, const nlohmann::json& version, const Retention& retention);
    void judge_regions(const std::string& id, const nlohmann::json& before, const nlohmann::json& after);
    void judge_modes(const ResourceId& resource);
    void judge_record(const std::string& id);
    void judge_sight(const std::string& id);
    void judge_holds(const std::string& id, const nlohmann::json& resource);
    void judge_time(const std::string& id, const nlohmann::json& version);
    bool counts_as_usable(const ResourceId& version) const;
    void judge_keep_rules(const std::string& id, const nlohmann::json& version);
    void judge_brakes(const std::string& id, bool by_retention);
    void judge_window(const std::string& id, const DeletionWindow& window);
    bool is_approved(const ResourceId& version) const;
    struct Shown {
        std::string key, identity;
    };
    struct Answered {
        std::string body;
        std::vector<Shown> shown;
        bool alone = false;
    };
    static Answered shown_in(std::string body);
    void show(const Shown& shown, std::chrono::nanoseconds asked, bool alone);
    const LifecyclePolicy* policy_of(const ResourceId& definition) const;
    const Retention* retention_of(const ResourceId& definition) const;
    std::vector<ResourceId> versions_of(const std::string& definition_key) const;
    void judge_put(const std::string& id, const std::string& body);
    void judge_tags(const ResourceId& resource, const nlohmann::json& before, const nlohmann::json& after);
    bool declares_tag(const ResourceId& resource, const std::string& name) const;
    void judge_source(const std::string& id);
    void judge_removed(const ObjectKey& key, const std::string& what);
    void wrong(const std::string& what);
    std::string describe(const std::string& definition) const;

    World& world_;
    std::map<std::string, TimePoint> machines_;     // by id, since when
    std::map<std::string, TimePoint> shown_since_;  // subscriptions with machines, since this memory was shown them
    std::map<std::string, std::map<std::string, std::string>>
        sent_tags_;            // by resource and folded name: what we sent last
    DesiredObjects declared_;  // the last good content of everything declared
    std::map<ObjectKey, Missing> missing_;
    std::set<ObjectKey> invalid_;
    std::map<std::string, Sights> sights_;        // by ResourceId::key()
    std::map<std::string, Answered> answered_;    // the last answer to each question, read
    std::set<std::string> excluded_by_us_;        // by ResourceId::key(): we took it out of latest ourselves
    std::set<std::string> unheard_;               // by ResourceId::key(): the answer to the last PUT was lost
    std::set<std::string> recorded_;              // what this memory wrote with our owner tag
    std::set<std::string> approved_;              // what people approved the deletion of
    std::set<std::string> deleted_;               // what this daemon asked to delete, folded
    std::map<std::string, int> deleted_in_pass_;  // by definition
    TimePoint memory_since_{};
    bool stopped_ = false, clock_was_off_ = false;
    bool unknown_content_ = false, frozen_ = false, empty_ = false, approved_source_ = false;
};

}  // namespace galleryd
