#include "reconcilers/lifecycle/gallery_credentials.h"

#include <algorithm>

namespace galleryd {
namespace {

constexpr char separator = '\t';  // no part of a resource id or of a name

std::string name_of(const Gallery& gallery) {
    return gallery.credential.empty() ? "" : gallery.meta.key.namespace_name + "/" + gallery.credential;
}

std::string storage_key_of(const Gallery& gallery) {
    const ResourceId group = resource_group_id(gallery.subscription_id, gallery.resource_group);
    return fold_case(group.text() + "/providers/Microsoft.Storage/storageAccounts/" + gallery.staging_storage->name);
}

std::string contradiction(const std::set<std::string>& names) {
    std::string list;
    for (const std::string& name : names)
        list += (list.empty() ? "" : " and ") + (name.empty() ? std::string("galleryd's own") : name);
    return "two documents declare this gallery and name different credentials (" + list + ")";
}

std::vector<std::string> cut(std::string_view line) {
    std::vector<std::string> parts;
    for (std::size_t from = 0; from <= line.size();) {
        const std::size_t end = std::min(line.find(separator, from), line.size());
        parts.emplace_back(line.substr(from, end - from));
        from = end + 1;
    }
    return parts;
}

}  // namespace

std::string_view gallery_key_in(std::string_view key) {
    constexpr std::string_view galleries = "/providers/microsoft.compute/galleries/";
    const std::size_t start = key.find(galleries);
    if (start == std::string_view::npos) return {};
    return key.substr(0, key.find('/', start + galleries.size()));
}

bool GalleryCredentials::declare(const std::vector<const Gallery*>& galleries, const std::set<std::string>& known) {
    std::map<std::string, std::set<std::string>> names;  // by gallery
    for (const Gallery* gallery : galleries) names[gallery->id.key()].insert(name_of(*gallery));
    std::map<std::string, Entry> now;
    for (const auto& [key, named] : names) {
        if (named.size() > 1) {
            now[key] = Entry{.choice = {.name = {}, .problem = contradiction(named)}, .gallery = key};
        } else if (!named.begin()->empty()) {
            now[key] = Entry{.choice = {.name = *named.begin(), .problem = {}}, .gallery = key};
        }
    }
    for (const Gallery* gallery : galleries) {
        const auto own = now.find(gallery->id.key());
        if (gallery->staging_storage && own != now.end()) now.emplace(storage_key_of(*gallery), own->second);
    }
    for (const auto& [key, entry] : choices_) {
        if (!names.contains(entry.gallery)) {
            if (known.contains(entry.gallery)) now.emplace(key, entry);
        } else if (const auto own = now.find(entry.gallery); own != now.end() && known.contains(key)) {
            now.emplace(key, own->second);  // a storage account that was declared before
        }
    }
    if (now == choices_) return false;
    choices_ = std::move(now);
    return true;
}

void GalleryCredentials::add_known(std::set<std::string>& known) const {
    for (const auto& [key, entry] : choices_) {
        known.insert(key);
        known.insert(entry.gallery);
    }
}

const CredentialChoice* GalleryCredentials::find(const ResourceId& resource) const {
    if (choices_.empty()) return nullptr;
    const std::string_view gallery = gallery_key_in(resource.key());
    const auto found = choices_.find(gallery.empty() ? resource.key() : std::string(gallery));
    return found == choices_.end() ? nullptr : &found->second.choice;
}

std::string GalleryCredentials::save() const {
    std::string text;
    for (const auto& [key, entry] : choices_)
        text +=
            key + separator + entry.gallery + separator + entry.choice.name + separator + entry.choice.problem + "\n";
    return text;
}

void GalleryCredentials::load(std::string_view text) {
    while (!text.empty()) {
        const std::string_view line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(line.size() + 1, text.size()));
        const std::vector<std::string> parts = cut(line);
        if (parts.size() != 4 || parts[0].empty() || (parts[2].empty() && parts[3].empty())) continue;
        choices_[parts[0]] = Entry{.choice = {.name = parts[2], .problem = parts[3]}, .gallery = parts[1]};
    }
}

}  // namespace galleryd
