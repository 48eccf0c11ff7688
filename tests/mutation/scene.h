#pragma once
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tests/simulation/estate.h"
#include "tests/simulation/world.h"

// Scenes in which exactly one point of the interlock stands between galleryd and a wrong deletion.
namespace galleryd::scene {

using Made = std::unique_ptr<World>;

// Plays the scene twice, each time in a world of its own: with the interlock as it ships, when the guard must find
// nothing wrong, and with that point switched off once the world is made, when something must be taken away and one of
// the guard's verdicts must hold `verdict`. A scene in which nobody would miss the point fails.
void check_is_missed(int point, const std::string& verdict, const std::function<Made()>& make,
                     const std::function<void(World&)>& act);

// Nine documents, six of them versions (1.0.0 to 1.5.0); all of it is in Azure.
struct Six {
    EngineOptions engine = WorldOptions::deleting_engine();
    std::string version = "deletionPolicy: Delete";  // more lines of spec
    std::string retention = "action: Report, keepNewest: 1, olderThan: 3650d, inUse: Ignore";
    bool knows_usage = false;
    std::function<Result<std::unique_ptr<Journal>>(TimePoint)> open_journal = {};
};
Made six(const Six& wanted = {});

// Four declared versions, all older than the policy wants: the two oldest have to go, an hour after they were marked.
struct Aged {
    EngineOptions engine = WorldOptions::deleting_engine();
    std::string retention = "approval: Required";  // more of it
    bool approves = true;                          // a person approves every digest at once
};
Made aged(const Aged& wanted = {});

inline const std::string victim = estate::version_id("1.1.0");
inline const std::string victim_file = "version-1.1.0.yaml";
void take_out(World& world, const std::vector<std::string>& names);  // of the folder
// A text of one file becomes another, and the folder is looked at.
void edit(World& world, const std::string& file, const std::string& from, const std::string& to);
void change(World& world, const std::string& id, const std::string& merge_patch);  // a person in the portal
// The victim's document goes, and fifteen minutes pass: the next round deletes the version.
void settle_removal(World& world);
// Right before the next strong GET of the victim is served, a person writes it.
void change_before_look(World& world, const std::string& merge_patch);

}  // namespace galleryd::scene
