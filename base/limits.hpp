#pragma once

// Every bound of the system, a file a module: whoever changes one recompiles that module, not the tree. A queue, retry,
// message or wait without a name in base/limits/ is a defect.
#include "base/limits/agent.hpp"
#include "base/limits/analysis.hpp"
#include "base/limits/api.hpp"
#include "base/limits/base.hpp"
#include "base/limits/cli.hpp"
#include "base/limits/coordinator.hpp"
#include "base/limits/effects.hpp"
#include "base/limits/flows.hpp"
#include "base/limits/libvirt.hpp"
#include "base/limits/link.hpp"
#include "base/limits/local.hpp"
#include "base/limits/network.hpp"
#include "base/limits/program.hpp"
#include "base/limits/replica.hpp"
#include "base/limits/shadow.hpp"
#include "base/limits/sockets.hpp"
#include "base/limits/spec.hpp"
#include "base/limits/store.hpp"
#include "base/limits/traffic.hpp"
#include "base/limits/wire.hpp"
