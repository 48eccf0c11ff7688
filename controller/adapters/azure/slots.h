#pragma once
#include <cstddef>
#include <deque>
#include <memory>
#include <utility>

#include "controller/ports/task.h"

namespace galleryd::azure {

// So many permits at once, the others wait in order of arrival. For one executor thread. Must outlive its permits.
class Slots {
  public:
    Slots(std::size_t permits, std::size_t waiting_max) : free_(permits), waiting_max_(waiting_max) {}
    Slots(const Slots&) = delete;
    Slots& operator=(const Slots&) = delete;

    class Permit {
      public:
        explicit Permit(Slots* owner) : owner_(owner) {}
        Permit(Permit&& other) noexcept : owner_(std::exchange(other.owner_, nullptr)) {}
        Permit& operator=(Permit&&) = delete;
        ~Permit() {
            if (owner_ != nullptr) owner_->release();
        }

      private:
        Slots* owner_;
    };

    // `transient` when `waiting_max` callers wait already. A cancelled waiter leaves the queue and loses no permit.
    Task<Permit> acquire();

  private:
    struct Waiter;
    struct Place;
    void release();

    std::size_t free_;
    std::size_t waiting_max_;
    std::deque<std::shared_ptr<Waiter>> waiting_;
};

}  // namespace galleryd::azure
