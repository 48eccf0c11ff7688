#pragma once
#include <string>
#include <vector>

#include "controller/core/desired.h"
#include "reconcilers/lifecycle/gallery_credentials.h"

namespace galleryd::doctor {

// Documents by who asks Azure about them (decision 0030). Pure.
struct Share {
    CredentialChoice choice;  // empty: galleryd's own credential
    DesiredObjects objects;   // with every policy
};

// Galleryd's own share first, also when it is empty; then one for each credential, by name.
std::vector<Share> share_out(const DesiredObjects& objects);
bool is_empty(const Share& share);  // nothing in it is asked about

}  // namespace galleryd::doctor
