#include <doctest/doctest.h>

#include "tests/simulation/schedule.h"

// What people do to the folder.
namespace galleryd {

void Schedule::declare_good() { world_.declare(good_); }

void Schedule::edit() {
    const std::string file = version_file(below(versions_));
    const auto found = good_.find(file);
    if (found == good_.end()) return;
    std::string& text = found->second;
    if (chance(0.3)) {
        const bool is_held = text.find("galleryd.io/hold") != std::string::npos;
        text = is_held ? estate::replaced(text, ", annotations: {galleryd.io/hold: audit}", "")
                       : estate::replaced(text, "namespace: images}",
                                          "namespace: images, annotations: {galleryd.io/hold: audit}}");
    } else if (text.find("  tags:") == std::string::npos) {
        text += "  tags: {round: r" + std::to_string(below(1000)) + "}\n";
    } else {
        text.erase(text.find("  tags:"));
    }
    declare_good();
}

void Schedule::remove_document() {
    const std::string file = version_file(below(versions_));
    removed_[file] = good_.contains(file) ? good_[file] : removed_[file];
    if (removed_[file].empty()) return;
    if (good_.contains(file)) {
        good_.erase(file);
    } else {
        good_[file] = removed_[file];
    }
    declare_good();
}

void Schedule::break_document() {
    auto broken = good_;
    auto victim = std::next(broken.begin(), below(static_cast<int>(broken.size())));
    switch (below(4)) {
        case 0: victim->second = victim->second.substr(0, victim->second.size() / 2); break;
        case 1: victim->second += "  nonsense: true\n"; break;
        case 2: victim->second = "{[broken"; break;
        default: victim->second += "\n---\n" + victim->second; break;  // declared twice
    }
    if (chance(0.5)) broken.erase(version_file(below(versions_)));
    world_.declare(broken);
}

}  // namespace galleryd
