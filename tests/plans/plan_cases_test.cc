#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>

#include "reconcilers/gallery/plan.h"
#include "reconcilers/image_definition/plan.h"
#include "reconcilers/lifecycle/scope.h"
#include "tests/plans/case_file.h"
#include "tests/plans/plan_text.h"

// Every tests/plans/<kind>/<case>.yaml, through the same scopes and planners as the daemon. UPDATE_GOLDEN=1 rewrites
// expectations, PLAN_CASE=text runs only the cases whose path holds that text.

using namespace galleryd;
using namespace galleryd::plans;

namespace {

const std::filesystem::path root = std::filesystem::path(GALLERYD_SOURCE_DIR) / "tests/plans";

template <class T>
std::optional<T> find_observed(const std::map<std::string, T>& resources, const ResourceId& id) {
    const auto found = resources.find(id.key());
    return found == resources.end() ? std::nullopt : std::optional(found->second);
}

std::vector<ObservedRoleAssignment> assignments_at(const Case& test, const ResourceId& scope) {
    std::vector<ObservedRoleAssignment> found;
    for (const ObservedRoleAssignment& assignment : test.azure.assignments) {
        if (fold_case(assignment.scope) == scope.key()) found.push_back(assignment);
    }
    return found;
}

Policy policy_for(const Case& test, const Scope& scope) {
    Policy policy = test.policy;
    policy.removed = scope.removed;
    return policy;
}

Plan plan_definition(const Case& test, const Scope& scope) {
    DefinitionView view;
    view.definition = find_observed(test.azure.definitions, scope.definition_id);
    view.gallery_exists =
        view.definition || (test.gallery_exists && test.azure.galleries.contains(scope.gallery_id.key()));
    for (const auto& [key, version] : test.azure.versions) {
        if (version.id.parent() == scope.definition_id) view.versions.push_back(version);
    }
    view.role_assignments = assignments_at(test, scope.definition_id);
    view.complete = test.view_complete;
    view.at = test.now;
    DefinitionScopeInput input;
    if (scope.gallery) input.gallery = &test.objects.galleries.at(*scope.gallery);
    if (scope.definition) input.definition = &test.objects.definitions.at(*scope.definition);
    if (scope.policy) input.policy = &test.objects.policies.at(*scope.policy);
    for (const ObjectKey& key : scope.versions) input.versions.push_back(&test.objects.versions.at(key));
    input.view = &view;
    return plan_definition_scope(input, policy_for(test, scope), test.now);
}

Plan plan_gallery(const Case& test, const Scope& scope) {
    GalleryView view;
    view.gallery = find_observed(test.azure.galleries, scope.gallery_id);
    const ResourceId group = resource_group_id(scope.gallery_id.subscription(), scope.gallery_id.resource_group());
    view.group = find_observed(test.azure.groups, group);
    if (!view.group && test.group_exists) {
        view.group = ObservedResourceGroup{.name = group.name(), .location = "canadacentral", .tags = {}};
    }
    view.role_assignments = assignments_at(test, scope.gallery_id);
    if (!test.azure.storage.empty()) view.storage = test.azure.storage.begin()->second;
    for (const auto& [key, definition] : test.azure.definitions) {
        if (definition.id.parent() == scope.gallery_id) view.definition_names.push_back(definition.name);
    }
    view.complete = test.view_complete;
    view.at = test.now;
    GalleryScopeInput input;
    if (scope.gallery) input.gallery = &test.objects.galleries.at(*scope.gallery);
    for (const auto& [key, definition] : test.objects.definitions) {
        if (definition.gallery_id == scope.gallery_id) input.definitions.push_back(&definition);
    }
    input.view = &view;
    return plan_gallery_scope(input, policy_for(test, scope), test.now);
}

std::string plan_text(const Case& test) {
    const auto scopes = index_scopes(test.objects, test.policy.removed);
    std::string text;
    for (const auto& [name, scope] : scopes) {
        const bool is_gallery = scope.kind == ScopeKind::gallery;
        if (test.scope != "all" && is_gallery != (test.scope == "gallery")) continue;
        Plan plan = is_gallery ? plan_gallery(test, scope) : plan_definition(test, scope);
        if (test.approves_itself) {
            Case approved = test;
            approved.policy.approvals.insert(plan.deletions_digest);
            plan = is_gallery ? plan_gallery(approved, scope) : plan_definition(approved, scope);
        }
        if (test.scope == "all") text += "scope " + name + "\n";
        text += print_plan(plan, test);
    }
    return text.empty() ? "no scope\n" : text;
}

std::vector<std::filesystem::path> case_files() {
    const char* only = std::getenv("PLAN_CASE");
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
        const std::filesystem::path& path = entry.path();
        if (path.extension() != ".yaml" || path.parent_path() == root || path.parent_path().filename() == "base")
            continue;
        if (only == nullptr || path.string().find(only) != std::string::npos) files.push_back(path);
    }
    std::ranges::sort(files);
    return files;
}

}  // namespace

TEST_CASE("every golden case plans what it says") {
    const bool update = std::getenv("UPDATE_GOLDEN") != nullptr;
    const auto files = case_files();
    CHECK_FALSE(files.empty());
    for (const std::filesystem::path& path : files) {
        const std::string name = std::filesystem::relative(path, root).string();
        CAPTURE(name);
        try {
            const Case test = read_case(path, root);
            const std::string actual = plan_text(test);
            CHECK_MESSAGE(plan_text(test) == actual, name, ": the same input gave two plans");
            if (update && actual != test.expected) rewrite_expectation(path, actual);
            CHECK_MESSAGE((update || actual == test.expected), name, "\n", test.why, "\n",
                          line_diff(test.expected, actual));
        } catch (const std::exception& problem) {
            FAIL_CHECK(name, ": ", std::string(problem.what()));
        }
    }
}
