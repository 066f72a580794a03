"""Photos that people send (随手拍): is there a problem, is it known, shall it become a case?"""
