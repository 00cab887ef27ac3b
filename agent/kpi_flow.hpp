#pragma once

#include <deque>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "agent/lane.hpp"
#include "agent/news.hpp"
#include "agent/usage_series.hpp"
#include "base/event_loop.hpp"
#include "base/unique_fd.hpp"
#include "hypervisor/ports.hpp"
#include "replay/report_stream.hpp"

namespace penumbra::agent {

/// Where windows of one vantage come from.
struct KpiSource {
    model::Vantage vantage;
    std::string domain;            ///< libvirt's name of the VM whose CPU and disks count
    std::filesystem::path socket;  ///< of the capture's or sandbox's reports
};

/// How the traffic flow has KPI windows read. Blocks shortly.
class KpiReaders {
 public:
    KpiReaders() = default;
    KpiReaders(const KpiReaders&) = delete;
    KpiReaders& operator=(const KpiReaders&) = delete;
    KpiReaders(KpiReaders&&) = delete;
    KpiReaders& operator=(KpiReaders&&) = delete;
    virtual ~KpiReaders() = default;
    /// Reads from now on; in place of what was read for this vantage before.
    [[nodiscard]] virtual Result<void> attach(const KpiSource& source) = 0;
    [[nodiscard]] virtual Result<void> detach(const model::Vantage& vantage) = 0;
    /// Tells the process behind: a capture its share, a sandbox its multiple. Told again on every new connection.
    [[nodiscard]] virtual Result<void> set_rate(const model::Vantage& vantage, double rate) = 0;
};

/// KPI windows from the processes that measure, with guest CPU and disk added, on to the core. A window is acknowledged
/// only once the coordinator has committed it; until then it comes again with every connection, and the core drops what
/// it has. Thread-bound; works in its lane's loop and never waits.
class KpiFlow final : public KpiReaders {
 public:
    struct Parts {  ///< borrowed, all outlive the flow
        EventLoop& loop;
        hypervisor::VmInventory& inventory;
        const Clock& clock;
        Tell tell;
    };
    explicit KpiFlow(Parts parts) : parts_(std::move(parts)) {}

    [[nodiscard]] Result<void> attach(const KpiSource& source) override;
    [[nodiscard]] Result<void> detach(const model::Vantage& vantage) override;
    [[nodiscard]] Result<void> set_rate(const model::Vantage& vantage, double rate) override;
    /// Committed at the coordinator.
    void release(const model::Vantage& vantage, std::uint64_t up_to);
    /// Once a second: samples what VMs use, connects where nobody is connected, passes on what is complete.
    void tick();

 private:
    struct Reader {
        KpiSource source;
        std::optional<double> rate;
        UniqueFd socket;
        EventLoop::Source io;
        replay::ReportDecoder decoder;
        std::deque<model::KpiWindow> waiting;  ///< for a sample behind their end
    };
    void connect(Reader& reader);
    void read(const model::Vantage& vantage);
    [[nodiscard]] Result<bool> read_some(Reader& reader);
    void say(Reader& reader, const replay::AgentWord& word);
    static void hang_up(Reader& reader);
    void sample();
    void pass_on(Reader& reader);
    void trouble(const KpiSource& source, const Error& error);

    Parts parts_;
    std::map<model::Vantage, Reader> readers_;
    std::map<std::string, UsageSeries> usage_;  // by domain
    std::vector<std::string> troubles_;
};

/// Another lane's readers, from any lane that may wait for it.
class KpiReadersOnLane final : public KpiReaders {
 public:
    KpiReadersOnLane(Lane& lane, KpiReaders& readers) : lane_(lane), readers_(readers) {}
    [[nodiscard]] Result<void> attach(const KpiSource& source) override {
        return call_on<void>(lane_, [&] { return readers_.attach(source); });
    }
    [[nodiscard]] Result<void> detach(const model::Vantage& vantage) override {
        return call_on<void>(lane_, [&] { return readers_.detach(vantage); });
    }
    [[nodiscard]] Result<void> set_rate(const model::Vantage& vantage, double rate) override {
        return call_on<void>(lane_, [&] { return readers_.set_rate(vantage, rate); });
    }

 private:
    Lane& lane_;
    KpiReaders& readers_;
};

}  // namespace penumbra::agent
