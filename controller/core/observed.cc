#include "controller/core/observed.h"

#include <array>

namespace galleryd {

std::string_view to_string(ProvisioningState state) {
    switch (state) {
        case ProvisioningState::unknown: return "Unknown";
        case ProvisioningState::creating: return "Creating";
        case ProvisioningState::updating: return "Updating";
        case ProvisioningState::failed: return "Failed";
        case ProvisioningState::succeeded: return "Succeeded";
        case ProvisioningState::deleting: return "Deleting";
        case ProvisioningState::migrating: return "Migrating";
    }
    return "Unknown";
}

ProvisioningState parse_provisioning_state(std::string_view text) {
    const std::string wanted = fold_case(text);
    for (const ProvisioningState state :
         {ProvisioningState::creating, ProvisioningState::updating, ProvisioningState::failed,
          ProvisioningState::succeeded, ProvisioningState::deleting, ProvisioningState::migrating}) {
        if (wanted == fold_case(to_string(state))) return state;
    }
    return ProvisioningState::unknown;
}

std::string_view to_string(ReplicationState state) {
    switch (state) {
        case ReplicationState::unknown: return "Unknown";
        case ReplicationState::replicating: return "Replicating";
        case ReplicationState::completed: return "Completed";
        case ReplicationState::failed: return "Failed";
    }
    return "Unknown";
}

}  // namespace galleryd
