#include <map>

#include "systemd/fake/fake_unit_control.hpp"
#include "tests/contract/systemd/rig.hpp"
#include "tests/support/fake_clock.hpp"

namespace penumbra::systemd::contract {

namespace {

using namespace std::chrono_literals;
using fake::FakeUnitControl;

class FakeRig final : public Rig {
 public:
    FakeRig() {
        control_.add_units("good@", true);
        control_.add_units("bad@", false);
    }
    UnitControl& control() override { return control_; }
    std::vector<std::string> command(const std::string& name, Course course) override {
        courses_.insert_or_assign(name, course);
        return {"/bin/command", name};
    }
    std::size_t runs(const std::string& name) override { return runs_[name]; }
    bool until(const std::function<bool()>& holds) override {
        for (int turn = 0; turn < 600; ++turn) {
            if (holds()) return true;
            clock_.advance(50ms);
            control_.fire_due();
        }
        return false;
    }

 private:
    FakeUnitControl::Outcome run(const std::string& name) {
        const std::size_t nth = ++runs_[name];
        if (courses_[name] == Course::kFailsTwice && nth <= 2) return FakeUnitControl::Outcome::kFailed;
        if (courses_[name] == Course::kHangsOnce && nth == 1) return FakeUnitControl::Outcome::kHangs;
        return FakeUnitControl::Outcome::kDone;
    }

    penumbra::testing::FakeClock clock_;
    std::map<std::string, Course> courses_;
    std::map<std::string, std::size_t> runs_;
    FakeUnitControl control_{clock_, [this](const std::vector<std::string>& command) { return run(command.at(1)); }};
};

}  // namespace

std::unique_ptr<Rig> make_rig(std::string& /*why*/) {
    return std::make_unique<FakeRig>();
}

}  // namespace penumbra::systemd::contract
