// The life of the OpenGL context that panels draw with: objects made in one are gone with it, and a later context may lie at
// the same address and give the same names again. UI thread only.
#pragma once

#include <functional>

namespace app {

// Which context is there: counts those that have ended.
int gl_context_number();
// Called once, when the context that is there now ends, while it still is current.
void when_gl_context_ends(std::function<void()> release);
// By whoever owns the context, before it goes.
void end_gl_context();

// Whether the GPU behind this context is the one that the CUDA backend uses. Asked once a context: where such a backend is
// open, because the first answer may wait for the drivers.
bool draws_where_cuda_computes();

// Called once, behind the commands that draw the frame which is being made: for what makes OpenGL hand its commands to the
// GPU, which interrupts the steps of a model there, so that it happens once a frame.
void behind_frame(std::function<void()> work);
// By whoever draws frames, behind these commands.
void end_frame();

}  // namespace app
