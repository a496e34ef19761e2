"""The screen of oopscope: a full-screen terminal program over what core reads. Core knows nothing of it."""
