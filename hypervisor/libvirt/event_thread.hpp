#pragma once

#include <memory>
#include <stop_token>
#include <thread>

namespace penumbra::hypervisor::libvirt {

/// The one thread of this process that runs libvirt's own event loop: without it there are no keepalives, so that a
/// call to a hanging libvirtd would never return, and no events. Lives as long as somebody shares it.
class EventThread {
 public:
    /// The running one, or a new one. Before the first connection is opened: libvirt demands it.
    [[nodiscard]] static std::shared_ptr<EventThread> share();

    EventThread(const EventThread&) = delete;
    EventThread& operator=(const EventThread&) = delete;
    EventThread(EventThread&&) = delete;
    EventThread& operator=(EventThread&&) = delete;
    ~EventThread();

 private:
    EventThread();

    std::jthread thread_;
};

}  // namespace penumbra::hypervisor::libvirt
