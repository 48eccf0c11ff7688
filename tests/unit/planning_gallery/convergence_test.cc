#include <doctest/doctest.h>

#include <random>

#include "controller/core/error_catalogue.h"
#include "reconcilers/image_definition/plan.h"
#include "tests/unit/planning_gallery/estate.h"

using namespace galleryd;

// Whatever differed, once the plan was carried out the next plan is empty (B6, R4): nothing is read back as a new
// difference.
namespace {

class Dice {
  public:
    explicit Dice(unsigned seed) : engine_(seed) {}
    bool yes() { return engine_() % 2 == 0; }
    template <class T>
    T pick(std::initializer_list<T> values) {
        return *(values.begin() + engine_() % values.size());
    }

  private:
    std::mt19937 engine_;
};

void merge(ObservedTags& live, const Tags& written) {
    for (const auto& [name, value] : written) {
        std::erase_if(live, [&](const auto& tag) { return fold_case(tag.first) == fold_case(name); });
        live[name] = value;
    }
}

// What Azure makes of the steps, as the next complete look shows it.
void carry_out(GalleryView& view, const Gallery& gallery, const Change& change) {
    if (std::holds_alternative<EnsureResourceGroup>(change.step))
        view.group = ObservedResourceGroup{gallery.resource_group, gallery.location, {}};
    const auto* create = std::get_if<CreateGallery>(&change.step);
    const auto* update = std::get_if<UpdateGallery>(&change.step);
    if (create != nullptr || update != nullptr) {
        const GalleryWrite& write = create != nullptr ? create->write : update->write;
        if (!view.gallery) view.gallery.emplace();
        ObservedGallery& live = *view.gallery;
        live.id = gallery.id;
        live.location = write.location;
        live.description = write.description;
        live.soft_delete_enabled = write.soft_delete_enabled;
        if (write.permissions) live.permissions = *write.permissions;
        if (write.community) live.community = write.community;
        live.state = ProvisioningState::succeeded;
        live.sharing_groups_known = true;
        merge(live.tags, write.tags);
    }
    if (const auto* share = std::get_if<ShareGallery>(&change.step)) {
        auto& ids = view.gallery->shared_subscription_ids;
        if (share->operation == "Add")
            ids.insert(ids.end(), share->subscription_ids.begin(), share->subscription_ids.end());
        if (share->operation == "Remove")
            std::erase_if(ids, [&](const std::string& id) {
                return std::ranges::find(share->subscription_ids, id) != share->subscription_ids.end();
            });
        if (share->operation == "EnableCommunity") view.gallery->community_enabled = true;
        if (share->operation == "Reset") {
            view.gallery->permissions = SharingPermissions::private_;
            ids.clear();
        }
    }
    if (const auto* role = std::get_if<AssignRole>(&change.step)) {
        view.role_assignments->push_back(estate::assignment(
            role->scope, role->assignment_name,
            role->role_definition_id.substr(role->role_definition_id.rfind('/') + 1), role->access.principal_id));
    }
    if (const auto* role = std::get_if<UnassignRole>(&change.step))
        std::erase_if(*view.role_assignments, [&](const auto& row) { return row.id == role->assignment; });
    if (const auto* storage = std::get_if<EnsureStorage>(&change.step))
        view.storage = ObservedStorageAccount{storage->account, storage->location, storage->sku, "Succeeded"};
}

Gallery any_gallery(Dice& dice) {
    Gallery gallery = estate::gallery();
    gallery.ensure_resource_group = true;
    gallery.governance.adoption = Adoption::adopt_or_create;
    gallery.description = dice.pick<const char*>({"", "one", "two"});
    if (dice.yes()) gallery.soft_delete_enabled = dice.yes();
    gallery.governance.tags =
        dice.yes() ? Tags{{"Environment", "prod"}} : Tags{{"environment", "test"}, {"team", "os"}};
    if (dice.yes())
        gallery.sharing = Sharing{
            dice.pick({SharingPermissions::private_, SharingPermissions::groups, SharingPermissions::community}),
            {},
            {},
            {}};
    const bool groups = gallery.sharing && gallery.sharing->permissions == SharingPermissions::groups;
    if (groups)
        gallery.sharing->subscription_ids =
            dice.yes() ? std::vector<std::string>{"s1", "s2"} : std::vector<std::string>{"s2"};
    if (gallery.sharing && gallery.sharing->permissions == SharingPermissions::community)
        gallery.sharing->community = CommunityGallery{"contoso", "u", dice.pick<const char*>({"a", "b"}), "e"};
    if (dice.yes()) gallery.access = {{"Reader", estate::principal, "Group"}};
    if (dice.yes()) gallery.access.push_back({"Contributor", estate::principal, "Group"});
    if (dice.yes()) gallery.staging_storage = StagingStorage{"stgolden01", "Standard_LRS", "vhds"};
    return gallery;
}

}  // namespace

TEST_CASE("a gallery plan that was carried out leaves nothing to do, or only conflicts") {
    int converged = 0;
    for (unsigned seed = 0; seed < 2000; ++seed) {
        CAPTURE(seed);
        Dice dice(seed);
        const Gallery first = any_gallery(dice), second = any_gallery(dice);
        Policy policy = estate::policy();
        GalleryView view = estate::empty_view();
        view.role_assignments.emplace();
        for (const Gallery* gallery : {&first, &second}) {
            const Plan plan = estate::plan(*gallery, view, policy);
            for (const Change& change : plan.changes) carry_out(view, *gallery, change);
            estate::remember(policy, gallery->id, gallery->meta.key);
            const Plan again = estate::plan(*gallery, view, policy);
            CHECK(again.changes.empty());
            CHECK(again.blocked.empty());
            CHECK(again.conflicts.size() == plan.conflicts.size());
            if (again.converged()) ++converged;
        }
    }
    CHECK(converged > 2000);
}

TEST_CASE("every code that planning and plan files use is explained") {
    for (const char* code :
         {"GD2200", "GD2201", "GD2202", "GD2203", "GD2204", "GD2205", "GD2206", "GD2207", "GD2210", "GD2211",
          "GD2212", "GD2213", "GD2214", "GD2215", "GD2216", "GD2220", "GD2221", "GD5040", "GD5042", "GD5043"}) {
        CAPTURE(code);
        const CatalogueEntry* entry = find_error(code);
        REQUIRE(entry != nullptr);
        CHECK_FALSE(entry->title.empty());
        CHECK(entry->cause.size() > 40);
        CHECK(entry->remedy.size() > 10);
    }
}
