# Which boards there are. Firmware is compiled once for each CPU, in a build of its own: its boards share the libraries
# and differ by their drivers. The host's build and the firmware's read this (CMakeLists.txt in the folder above, and here).
set(OTASIM_CPUS cortex-m3 cortex-m4 cortex-m7 cortex-m33)

set(OTASIM_BOARDS_cortex-m3 mps2-an385 emcraft-sf2)
set(OTASIM_FLAGS_cortex-m3 -mcpu=cortex-m3)

set(OTASIM_BOARDS_cortex-m4 mps2-an386)
set(OTASIM_FLAGS_cortex-m4 -mcpu=cortex-m4 -mfpu=fpv4-sp-d16 -mfloat-abi=hard)

set(OTASIM_BOARDS_cortex-m7 mps2-an500)
set(OTASIM_FLAGS_cortex-m7 -mcpu=cortex-m7 -mfpu=fpv5-d16 -mfloat-abi=hard)

# Without DSP and FPU: the first core of the an521 has neither.
set(OTASIM_BOARDS_cortex-m33 mps2-an505 mps2-an521)
set(OTASIM_FLAGS_cortex-m33 -mcpu=cortex-m33+nodsp+nofp -mfloat-abi=soft)
