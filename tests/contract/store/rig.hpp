#pragma once

#include <cstdint>
#include <memory>

#include "coordinator/store/store.hpp"

namespace penumbra::coordinator::contract {

/// A disk that outlives the stores on it. The same suite is linked with a rig over the fake and with one over SQLite.
class Rig {
 public:
    Rig() = default;
    Rig(const Rig&) = delete;
    Rig& operator=(const Rig&) = delete;
    Rig(Rig&&) = delete;
    Rig& operator=(Rig&&) = delete;
    virtual ~Rig() = default;

    /// A store on the disk, not open yet.
    virtual std::unique_ptr<Store> store() = 0;
    /// From the next store on, or already now, there is no room for more.
    virtual void fill_disk() = 0;
    virtual void clear_disk() = 0;
};

/// Given by whichever rig is linked.
std::unique_ptr<Rig> make_rig();

}  // namespace penumbra::coordinator::contract
