#include "controller/core/plan.h"

namespace galleryd {

std::string_view to_string(Action action) {
    switch (action) {
        case Action::create: return "create";
        case Action::update: return "update";
        case Action::remove: return "delete";
        case Action::adopt: return "adopt";
        case Action::mark: return "mark";
        case Action::unmark: return "unmark";
        case Action::share: return "share";
        case Action::assign: return "assign";
        case Action::unassign: return "unassign";
    }
    return "";
}

std::string_view to_string(Risk risk) {
    switch (risk) {
        case Risk::none: return "none";
        case Risk::capacity_removed: return "capacity_removed";
        case Risk::latest_moves: return "latest_moves";
        case Risk::access_removed: return "access_removed";
        case Risk::data_deleted: return "data_deleted";
    }
    return "";
}

}  // namespace galleryd
