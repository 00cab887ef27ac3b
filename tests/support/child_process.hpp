#pragma once

#include <string>
#include <vector>

#include <sys/types.h>

namespace penumbra::testing {

/// A server or tool of the test's own. It dies with the test, however the test ends.
class ChildProcess {
 public:
    explicit ChildProcess(const std::vector<std::string>& command);
    ChildProcess(const ChildProcess&) = delete;
    ChildProcess& operator=(const ChildProcess&) = delete;
    ChildProcess(ChildProcess&& other) noexcept;
    ChildProcess& operator=(ChildProcess&&) = delete;
    ~ChildProcess();

    void signal(int number) const;
    /// SIGKILL, and waits until it is gone.
    void kill();
    /// Waits for its end; its exit status, 128 + the signal's number where one ended it.
    int wait();
    [[nodiscard]] bool running();

 private:
    pid_t pid_ = -1;
    int status_ = -1;
};

/// Runs a tool to its end: its exit status.
int run_tool(const std::vector<std::string>& command);

/// Whether a server listens on this UNIX socket before a deadline of 20 s, or `server` has ended.
bool listens(const std::string& socket, ChildProcess& server);

}  // namespace penumbra::testing
