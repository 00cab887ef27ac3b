#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "systemd/unit_control.hpp"

namespace penumbra::systemd::contract {

/// A service manager with the templates `good@` (Type=notify, ready after a moment) and `bad@` (its start fails), and
/// commands that count their runs. The same suite is linked with a rig over the fake and with one over systemd.
class Rig {
 public:
    enum class Course : unsigned char { kDone, kFailsTwice, kHangsOnce };

    Rig() = default;
    Rig(const Rig&) = delete;
    Rig& operator=(const Rig&) = delete;
    Rig(Rig&&) = delete;
    Rig& operator=(Rig&&) = delete;
    virtual ~Rig() = default;

    virtual UnitControl& control() = 0;
    /// A command that counts its runs under `name` and takes this course.
    virtual std::vector<std::string> command(const std::string& name, Course course) = 0;
    virtual std::size_t runs(const std::string& name) = 0;
    /// Lets time pass until `holds`; false when it never did.
    virtual bool until(const std::function<bool()>& holds) = 0;
};

/// Given by whichever rig is linked. Nothing: this machine has not what it takes, and `why` says what.
std::unique_ptr<Rig> make_rig(std::string& why);

}  // namespace penumbra::systemd::contract
