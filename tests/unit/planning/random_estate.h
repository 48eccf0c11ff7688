#pragma once
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "reconcilers/image_version/plan.h"

// A definition with a few versions in any state that the world can bring about, drawn from a seed: odd tags, missing
// dates, half marks, foreign owners, lost records, clocks that differ. Most facts are drawn so that they pass more
// often than not, else nothing would ever be deleted and nothing tested.
namespace galleryd::test {

struct RandomEstate {
    explicit RandomEstate(unsigned seed);
    explicit RandomEstate(std::function<unsigned()> draw);  // a number for each fact

    ImageDefinition definition;
    LifecyclePolicy lifecycle;
    bool has_lifecycle = true;
    std::vector<std::unique_ptr<ImageVersion>> declared;
    DefinitionView view;
    Policy policy;
    TimePoint now{};

    DefinitionScopeInput input() const;
    Plan plan() const;

  private:
    bool chance(int percent);
    int pick(int from, int to);
    ObservedVersion draw_version(int minor);
    void draw_tags(ObservedVersion& version);
    void draw_owner(ObservedVersion& version);
    void draw_policy();
    void draw_lifecycle();
    std::vector<TargetRegion> draw_regions();

    std::function<unsigned()> draw_;
};

}  // namespace galleryd::test
