#pragma once
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "controller/core/desired.h"
#include "controller/core/resource_id.h"

namespace galleryd {

// Name of the journal's setting that keeps which gallery has which credential.
inline constexpr const char* gallery_credentials_setting = "gallery credentials";

struct CredentialChoice {
    std::string name;     // "images/team-a": namespace and name of a Secret
    std::string problem;  // why nobody may be asked: its documents contradict each other; "" none
    friend auto operator<=>(const CredentialChoice&, const CredentialChoice&) = default;
};

// Which galleries have a credential of their own (decision 0030). A gallery whose document is gone, broken or not read
// yet keeps the one it had, over restarts too: a lost document must not make somebody else act for it. Pure; owned by
// the loop thread.
class GalleryCredentials {
  public:
    // What the sources say now. `galleries`: their documents, also those that two sources claim. `known`: keys of what
    // still matters: galleries that are declared or lately removed, galleries and resources with operations in flight.
    // True when anything changed.
    bool declare(const std::vector<const Gallery*>& galleries, const std::set<std::string>& known);

    // Of a gallery, of anything in it, or of its storage account; null: galleryd's own credential.
    const CredentialChoice* find(const ResourceId& resource) const;
    bool empty() const { return choices_.empty(); }
    // Everything that is known now still matters: not every source has spoken yet, or the journal cannot be read.
    void add_known(std::set<std::string>& known) const;

    // Lines of text for the journal; lines that cannot be read are passed over.
    std::string save() const;
    void load(std::string_view text);

  private:
    struct Entry {
        CredentialChoice choice;
        std::string gallery;  // key
        friend bool operator==(const Entry&, const Entry&) = default;
    };
    std::map<std::string, Entry> choices_;  // by key of the gallery or of its storage account
};

// Key of the gallery that the resource is or lies in; "" for everything else.
std::string_view gallery_key_in(std::string_view resource_key);

}  // namespace galleryd
