#!/bin/sh
%{ for name in names ~}
echo "${name}" $${HOME}
%{ endfor ~}
