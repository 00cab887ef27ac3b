#include "hypervisor/libvirt/event_thread.hpp"

#include <mutex>

#include <pthread.h>
#include <signal.h>

#include "base/result.hpp"
#include "hypervisor/libvirt/handle.hpp"

namespace penumbra::hypervisor::libvirt {

namespace {

// libvirt prints every error to stderr unless it is given somewhere else; ours are returned.
void be_silent(void*, virErrorPtr) noexcept {}

void wake_up(int timer, void*) noexcept {
    virEventRemoveTimeout(timer);
}

void run(const std::stop_token& stop) {
    // Signals are for the process's own threads. SIGPIPE above all: a keepalive to a libvirtd that died raises it.
    sigset_t all;
    sigfillset(&all);
    ASSERT(pthread_sigmask(SIG_SETMASK, &all, nullptr) == 0);
    while (!stop.stop_requested()) {
        // Fails only when a poll fails; there is nobody to tell, and the calls themselves then say what is wrong.
        if (virEventRunDefaultImpl() < 0) virResetLastError();
    }
}

}  // namespace

std::shared_ptr<EventThread> EventThread::share() {
    static std::mutex mutex;
    static std::weak_ptr<EventThread> running;
    const std::lock_guard lock(mutex);
    std::shared_ptr<EventThread> thread = running.lock();
    if (thread == nullptr) {
        thread = std::shared_ptr<EventThread>(new EventThread);
        running = thread;
    }
    return thread;
}

EventThread::EventThread() {
    static std::once_flag registered;
    std::call_once(registered, [] {
        virSetErrorFunc(nullptr, be_silent);
        ASSERT(virEventRegisterDefaultImpl() == 0);
    });
    thread_ = std::jthread(run);
}

EventThread::~EventThread() {
    thread_.request_stop();
    virEventAddTimeout(0, wake_up, nullptr, nullptr);
}

}  // namespace penumbra::hypervisor::libvirt
