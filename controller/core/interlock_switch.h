#pragma once

// A test may switch one point of the interlock (behaviour §6) off, to see that the simulation notices: a guard that
// nobody would miss is not tested. Only the files that tests/mutation compiles for itself (cmake/folders.cmake) have
// the switch. In everything that ships the answer is a constant, and no code is left of the question
// (tests/integration/test_no_interlock_switch.py).
namespace galleryd {

#ifdef GALLERYD_INTERLOCK_SWITCH
inline namespace interlock_switch {  // another name for the linker: what ships can never be mistaken for this
bool is_switched_off(int point);     // tests/mutation/interlock_switch.cc
}
#else
constexpr bool is_switched_off(int /*point*/) { return false; }
#endif

}  // namespace galleryd
